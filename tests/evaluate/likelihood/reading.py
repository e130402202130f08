"""A tiny model with a tokenizer of bytes, for measures that read a text."""

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

import longra
from support.tiny import make


def tiny_model(folder: Path) -> tuple[longra.Model, Any]:
    """A tiny llama in float32, and transformers' own."""
    expected = make("llama", folder)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.save(str(folder / "tokenizer.json"))
    return longra.load(folder, weights="f32", threads=1), expected
