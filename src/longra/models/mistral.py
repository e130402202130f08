"""Mistral (Jiang et al. 2023): Llama with a window. GGUF files call it llama."""

from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.spec import ModelSpec
from longra.models.llama import PARTS, build
from longra.models.reading import read_decoder

__all__ = ["PARTS", "build", "read"]


def read(fields: Fields, checkpoint: Checkpoint) -> ModelSpec:
    """As Llama."""
    return read_decoder(fields, checkpoint, "mistral", interleaved=checkpoint.format == "gguf")
