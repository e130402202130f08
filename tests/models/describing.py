"""Checkpoints that are descriptions only, for tests of what is read before any weight."""

from pathlib import Path
from typing import Any

import numpy as np

from longra.files.checkpoint import Checkpoint
from longra.files.spec import ModelSpec
from longra.files.tensor import Tensor
from longra.models import read_spec

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "vocab_size": 320,
    "hidden_size": 64,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 96,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
}
GGUF: dict[str, Any] = {
    "vocab_size": 320,
    "embedding_length": 64,
    "block_count": 6,
    "attention.head_count": 4,
    "attention.head_count_kv": 2,
    "feed_forward_length": 96,
    "context_length": 128,
    "attention.layer_norm_rms_epsilon": 1e-5,
}


def tensor(name: str, *shape: int) -> Tensor:
    """A float32 tensor of zeros."""
    return Tensor(name, "F32", shape, np.zeros(4 * int(np.prod(shape)), np.uint8))


def floats(name: str, values: list[float]) -> Tensor:
    """A float32 vector."""
    return Tensor(name, "F32", (len(values),), np.array(values, np.float32).view(np.uint8))


def described(config: dict[str, Any], *tensors: Tensor, kind: str = "safetensors") -> Checkpoint:
    """A checkpoint of these parts."""
    return Checkpoint(kind, Path("tiny"), Path(), config, {one.name: one for one in tensors})


def spec_of(**changes: Any) -> ModelSpec:
    """The description of a small Llama with changes; None takes a name away."""
    config = {name: value for name, value in (LLAMA | changes).items() if value is not None}
    return read_spec(described(config))


def spec_of_gguf(architecture: str, *tensors: Tensor, **changes: Any) -> ModelSpec:
    """The description of a small GGUF model; "__" in a name of changes stands for a dot."""
    values = GGUF | {name.replace("__", "."): value for name, value in changes.items()}
    config = {f"{architecture}.{name}": value for name, value in values.items() if value is not None}
    embedding = tensor("token_embd.weight", 320, 64)
    return read_spec(described({"general.architecture": architecture} | config, embedding, *tensors, kind="gguf"))
