"""A model's tensors under the names that model files use, wherever they are stored; and how well they fit."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from longra.errors import FitError
from longra.files.blocks import FLOATS
from longra.files.checkpoint import Checkpoint
from longra.files.mapped import shown
from longra.files.spec import ModelSpec
from longra.files.tensor import Tensor

Shape = tuple[int, ...]

_INTEGERS = frozenset({"BOOL", "U8", "I8", "I16", "I32", "I64"})

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
        shape: its extents by name (see extents), outputs first.
        bias: it has a vector beside it: yes, no, or the name of ModelSpec's flag that says so.
        tied: it is not needed where the output matrix is the token embedding.
        transposed: transformers stores it as [inputs, outputs].
    """

    name: str
    hf: str
    gguf: str
    shape: tuple[str, ...]
    bias: bool | str = False
    tied: bool = False
    transposed: bool = False

    def has_bias(self, spec: ModelSpec) -> bool:
        """Whether a model of this description has the vector."""
        return self.bias if isinstance(self.bias, bool) else bool(getattr(spec, self.bias))


@dataclass(frozen=True)
class Difference:
    """One thing in which model file and weight file do not fit.

    Attributes:
        kind: "missing", "shape", "type" or "unknown".
        tensor: its stored name.
        expected, found: shapes, where there are any.
        stored: the stored type, where that is what is wrong.
    """

    kind: str
    tensor: str
    expected: Shape | None = None
    found: Shape | None = None
    stored: str | None = None

    def __str__(self) -> str:
        name = self.tensor if self.tensor.isprintable() else shown(self.tensor)
        if self.kind == "missing":
            return f"{name} {list(self.expected or ())} is missing"
        if self.kind == "shape":
            return f"{name} is {list(self.found or ())}, the model file asks for {list(self.expected or ())}"
        if self.kind == "type":
            return f"{name} is stored as {self.stored}, which cannot hold such weights"
        return f"{name} {list(self.found or ())} is unknown to the architecture"


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
    """Tensors by the names of an architecture's parts.

    Args:
        checkpoint: where they are stored.
        spec: the model's description.
        parts: what the architecture needs.
    """

    def __init__(self, checkpoint: Checkpoint, spec: ModelSpec, parts: tuple[Part, ...]) -> None:
        self.gguf = checkpoint.format == "gguf"
        self.spec = spec
        self.parts = {part.name: part for part in parts}
        self.extents = extents(spec)
        self.stored: dict[str, Tensor] = {}
        self.twice: list[Tensor] = []
        self.wrapper = ""
        for name, tensor in checkpoint.tensors.items():
            bare = name if self.gguf else _WRAPPERS.sub("", name)
            if bare in self.stored:
                self.twice.append(tensor)
            self.stored.setdefault(bare, tensor)
            if "layers." in bare or "h." in bare:
                self.wrapper = name.removesuffix(bare)

    def check(self) -> list[Difference]:
        """Every difference between what the parts ask for and what is stored: what is needed first, then what is left."""
        differences, left = [], dict(self.stored)
        for name, shape, needed in self._asked():
            tensor = left.pop(name, None)
            if tensor is None:
                differences += [Difference("missing", self._full_name(name), shape)] if needed else []
            elif tensor.shape != shape:
                differences.append(Difference("shape", tensor.name, shape, tensor.shape))
            elif tensor.kind in _INTEGERS or (len(shape) == 1 and tensor.kind not in FLOATS):
                differences.append(Difference("type", tensor.name, found=tensor.shape, stored=tensor.kind))
        over = [tensor for tensor in (*left.values(), *self.twice) if not _IGNORED.fullmatch(tensor.name)]
        return differences + [Difference("unknown", tensor.name, found=tensor.shape) for tensor in over]

    def has(self, name: str, block: int | None = None) -> bool:
        """Whether a part is stored."""
        return self._stored_name(self.parts[name], block, "weight") in self.stored

    def __call__(self, name: str, block: int | None = None) -> Tensor:
        """The weight of a part."""
        part = self.parts[name]
        tensor = self._take(self._stored_name(part, block, "weight"))
        return tensor.transposed() if self._flipped(part) else tensor

    def get(self, name: str, block: int | None = None) -> Tensor | None:
        """The weight of a part, or None where the architecture has no such part."""
        return self(name, block) if name in self.parts else None

    def bias(self, name: str, block: int | None = None) -> Tensor | None:
        """The bias of a part, or None where it has none."""
        part = self.parts[name]
        return self._take(self._stored_name(part, block, "bias")) if part.has_bias(self.spec) else None

    def pair(self, name: str, block: int | None = None) -> tuple[Tensor, Tensor | None]:
        """Weight and bias of a part."""
        return self(name, block), self.bias(name, block)

    def _asked(self) -> Iterator[tuple[str, Shape, bool]]:
        """Stored name, stored shape, and whether it must be there, of every tensor that the parts may be made of."""
        for part in self.parts.values():
            shape = tuple(self.extents[extent] for extent in part.shape)
            for block in range(self.spec.layers) if "{}" in part.hf else (None,):
                needed = not (part.tied and self.spec.tied)
                yield self._stored_name(part, block, "weight"), shape[::-1] if self._flipped(part) else shape, needed
                if part.has_bias(self.spec):
                    yield self._stored_name(part, block, "bias"), shape[:1], needed

    def _flipped(self, part: Part) -> bool:
        return part.transposed and not self.gguf

    def _stored_name(self, part: Part, block: int | None, kind: str) -> str:
        return f"{(part.gguf if self.gguf else part.hf).format(block)}.{kind}"

    def _full_name(self, name: str) -> str:
        """What a tensor that is not stored would be called: with the wrapper that the blocks have."""
        return name if name.startswith(("lm_head.", "embed_out.")) else self.wrapper + name

    def _take(self, name: str) -> Tensor:
        if name not in self.stored:
            raise FitError(f"{name} is missing; see `longra inspect`")
        return self.stored[name]
