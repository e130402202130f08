"""Qwen2 and Qwen2.5 (Yang et al. 2024): Llama with biases on queries, keys and values."""

from dataclasses import replace

from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.spec import ModelSpec
from longra.models.llama import PARTS as LLAMA
from longra.models.llama import build
from longra.models.reading import read_decoder

__all__ = ["PARTS", "build", "read"]

PARTS = tuple(replace(part, bias=True) if part.name in ("q", "k", "v") else part for part in LLAMA)


def read(fields: Fields, checkpoint: Checkpoint) -> ModelSpec:
    """A window counts only where use_sliding_window says so."""
    return read_decoder(fields, checkpoint, "qwen2", windowed=False)
