"""A weight file at a glance."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from longra.files.checkpoint import Checkpoint
from longra.files.tensor import Tensor

_BLOCK = re.compile(r"\.\d+\.")


@dataclass(frozen=True)
class WeightFile:
    """What a weight file holds.

    Attributes:
        format: "gguf", "safetensors" or "torch".
        tensors: number of tensors.
        parameters: number of weights.
        bytes: of all tensors.
        kinds: stored type -> number of tensors.
    """

    format: str
    tensors: int
    parameters: int
    bytes: int
    kinds: dict[str, int]

    @property
    def bits_per_weight(self) -> float:
        """Stored bits of a weight, on average."""
        return 8 * self.bytes / max(1, self.parameters)


def weight_file(checkpoint: Checkpoint) -> WeightFile:
    """What an opened checkpoint's weight file holds."""
    tensors = list(checkpoint.tensors.values())
    return WeightFile(
        checkpoint.format,
        len(tensors),
        sum(tensor.size for tensor in tensors),
        sum(len(tensor.data) for tensor in tensors),
        dict(Counter(tensor.kind for tensor in tensors).most_common()),
    )


@dataclass(frozen=True)
class TensorGroup:
    """Tensors that differ in their block's number only.

    Attributes:
        name: their name with "*" for the number.
        shape: of each.
        kinds: stored type -> number of tensors.
        bytes: of all together.
    """

    name: str
    shape: tuple[int, ...]
    kinds: dict[str, int]
    bytes: int


def tensor_groups(tensors: Iterable[Tensor]) -> list[TensorGroup]:
    """Tensors by name and shape, in the order in which they are first met."""
    groups: dict[tuple[str, tuple[int, ...]], list[Tensor]] = {}
    for tensor in tensors:
        groups.setdefault((_BLOCK.sub(".*.", tensor.name), tensor.shape), []).append(tensor)
    return [
        TensorGroup(name, shape, dict(Counter(one.kind for one in ones).most_common()), sum(len(t.data) for t in ones))
        for (name, shape), ones in groups.items()
    ]
