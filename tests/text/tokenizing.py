"""Small vocabularies as GGUF metadata, and the real ones."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from longra.files.checkpoint import open_checkpoint
from longra.text.tokenizer import Tokenizer, load_tokenizer
from support.real import real_model

DATA = Path(__file__).parent / "data"
REAL = ("smollm2", "qwen", "gemma")
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


@cache
def real_tokenizer(name: str) -> Tokenizer:
    """The tokenizer of a real model."""
    with open_checkpoint(real_model(name)) as checkpoint:
        return load_tokenizer(checkpoint)


def byte_level_metadata(merges: Sequence[str] = (), pre: str = "gpt-2", **extra: Any) -> dict[str, Any]:
    """A byte-level vocabulary: every byte, the given merges, and control tokens <|endoftext|> and <|im_end|>."""
    from tokenizers.pre_tokenizers import ByteLevel

    tokens = sorted(ByteLevel.alphabet()) + [merge.replace(" ", "") for merge in merges]
    tokens += ["<|endoftext|>", "<|im_end|>"]
    return {
        "general.architecture": "llama",
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [NORMAL] * (len(tokens) - 2) + [CONTROL] * 2,
        "tokenizer.ggml.merges": list(merges),
        "tokenizer.ggml.bos_token_id": len(tokens) - 2,
        "tokenizer.ggml.eos_token_id": len(tokens) - 2,
        **{f"tokenizer.ggml.{key}": value for key, value in extra.items()},
    }


def sentencepiece_metadata(pieces: dict[str, float], **extra: Any) -> dict[str, Any]:
    """A SentencePiece vocabulary: <unk>, <s>, </s>, every byte, then the given pieces with their scores."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + list(pieces)
    return {
        "general.architecture": "llama",
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0] * 259 + list(pieces.values()),
        "tokenizer.ggml.token_type": [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256 + [NORMAL] * len(pieces),
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        **{f"tokenizer.ggml.{key}": value for key, value in extra.items()},
    }
