"""A weight file at a glance."""

from collections import Counter
from dataclasses import dataclass

from longra.files.checkpoint import Checkpoint


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
