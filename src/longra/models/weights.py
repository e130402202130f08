"""A model's tensors under the names that model files use, wherever they are stored; and how well they fit."""

import re
from dataclasses import dataclass

import numpy as np

from longra.errors import FitError
from longra.files.checkpoint import Checkpoint
from longra.files.spec import ModelSpec
from longra.files.tensor import FLOATS, Tensor

# Wrappers around the language model that change names but not meaning.
_WRAPPERS = re.compile(r"^(?:model\.|transformer\.|gpt_neox\.|language_model\.)+")
# Buffers that some libraries saved along, and the towers of models that also see; neither takes part in reading text.
_IGNORED = re.compile(
    r"(?:.*\.)?(?:attn|attention|self_attn)\.(?:bias|masked_bias|causal_mask)"
    r"|.*rotary_emb\.inv_freq|.*embed_positions"
    r"|rope_freqs\.weight|rope_factors_(?:long|short)\.weight"
    r"|(?:model\.)?(?:vision_tower|multi_modal_projector)\..*"
)


@dataclass(frozen=True)
class Part:
    """A tensor that an architecture needs.

    Attributes:
        name: in model files.
        hf: stored name in checkpoints of transformers, less wrappers and ".weight"; "{}" is the block's number.
        gguf: stored name in GGUF files, less ".weight".
        shape: its extents by name (see Extents), outputs first.
        bias: it has a vector beside it: yes, no, or None for either.
        optional: it may be missing.
        transposed: transformers stores it as [inputs, outputs].
    """

    name: str
    hf: str
    gguf: str
    shape: tuple[str, ...]
    bias: bool | None = False
    optional: bool = False
    transposed: bool = False


@dataclass(frozen=True)
class Difference:
    """One thing in which model file and weight file do not fit.

    Attributes:
        kind: "missing", "shape" or "unknown".
        tensor: its stored name.
        expected, found: shapes, where there are any.
    """

    kind: str
    tensor: str
    expected: tuple[int, ...] | None = None
    found: tuple[int, ...] | None = None

    def __str__(self) -> str:
        if self.kind == "missing":
            return f"{self.tensor} {list(self.expected or ())} is missing"
        if self.kind == "shape":
            return f"{self.tensor} is {list(self.found or ())}, the model file asks for {list(self.expected or ())}"
        return f"{self.tensor} {list(self.found or ())} is unknown to the architecture"


def extents(spec: ModelSpec) -> dict[str, int]:
    """Sizes by the names that Part.shape uses."""
    q, kv = spec.heads * spec.head_dim, spec.kv_heads * spec.head_dim
    return {
        "hidden": spec.hidden,
        "ffn": spec.ffn,
        "two_ffn": 2 * spec.ffn,
        "vocabulary": spec.vocabulary,
        "context": spec.context,
        "q": q,
        "kv": kv,
        "qkv": q + 2 * kv,
        "head": spec.head_dim,
    }


class Weights:
    """Tensors by part name. What is missing or misshapen is noted and stood in for, so that one pass finds it all."""

    def __init__(self, checkpoint: Checkpoint, spec: ModelSpec, parts: tuple[Part, ...]) -> None:
        self.gguf = checkpoint.format == "gguf"
        self.parts = {part.name: part for part in parts}
        self.extents = extents(spec)
        self.differences: list[Difference] = []
        self.stored = {self._bare(name): (name, tensor) for name, tensor in checkpoint.tensors.items()}
        self.left = set(self.stored)

    def _bare(self, name: str) -> str:
        return name if self.gguf else _WRAPPERS.sub("", name)

    def has(self, name: str, block: int | None = None) -> bool:
        """Whether a part is stored."""
        return self._stored_name(self.parts[name], block, "weight") in self.stored

    def __call__(self, name: str, block: int | None = None) -> Tensor:
        """The weight of a part."""
        part = self.parts[name]
        shape = tuple(self.extents[extent] for extent in part.shape)
        flip = part.transposed and not self.gguf
        tensor = self._take(self._stored_name(part, block, "weight"), shape[::-1] if flip else shape)
        return tensor.transposed() if flip else tensor

    def bias(self, name: str, block: int | None = None) -> Tensor | None:
        """The bias of a part, or None where it has none."""
        part = self.parts[name]
        stored = self._stored_name(part, block, "bias")
        if part.bias is False or (part.bias is None and stored not in self.stored):
            return None
        return self._take(stored, (self.extents[part.shape[0]],))

    def pair(self, name: str, block: int | None = None) -> tuple[Tensor, Tensor | None]:
        """Weight and bias of a part."""
        return self(name, block), self.bias(name, block)

    def check(self) -> list[Difference]:
        """Every difference found so far, and what is left over."""
        unknown = [self.stored[name] for name in sorted(self.left) if not _IGNORED.fullmatch(self.stored[name][0])]
        return self.differences + [Difference("unknown", name, found=tensor.shape) for name, tensor in unknown]

    def _stored_name(self, part: Part, block: int | None, kind: str) -> str:
        return f"{(part.gguf if self.gguf else part.hf).format(block)}.{kind}"

    def _take(self, name: str, shape: tuple[int, ...]) -> Tensor:
        self.left.discard(name)
        stored, tensor = self.stored.get(name, (name, None))
        if tensor is None:
            self.differences.append(Difference("missing", stored, shape))
        elif tensor.shape != shape:
            self.differences.append(Difference("shape", stored, shape, tensor.shape))
        elif len(shape) == 1 and tensor.kind not in FLOATS:
            raise FitError(f"{stored} is stored as {tensor.kind}; vectors must be floats")
        else:
            return tensor
        # Never read: a graph with differences is not used. One element broadcast over the shape takes no memory.
        return Tensor(stored, "F32", shape, np.broadcast_to(np.zeros(1, np.uint8), (4 * int(np.prod(shape)),)))
