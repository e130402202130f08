"""Qwen3 (Yang et al. 2025): Llama with RMS norms on each head's query and key."""

from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.spec import ModelSpec
from longra.models.llama import PARTS as LLAMA
from longra.models.llama import build
from longra.models.reading import read_decoder
from longra.models.weights import Part

__all__ = ["PARTS", "build", "read"]

PARTS = (
    *LLAMA,
    Part("q_norm", "layers.{}.self_attn.q_norm", "blk.{}.attn_q_norm", ("head",)),
    Part("k_norm", "layers.{}.self_attn.k_norm", "blk.{}.attn_k_norm", ("head",)),
)


def read(fields: Fields, checkpoint: Checkpoint) -> ModelSpec:
    """A window counts only where use_sliding_window says so."""
    if checkpoint.format != "gguf" and fields.values.get("head_dim") is None:
        fields = Fields(fields.values | {"head_dim": 128}, fields.source)
    return read_decoder(fields, checkpoint, "qwen3", windowed=False)
