"""Reads tokenizer.model, a SentencePiece vocabulary, for folders that have no tokenizer.json.

The file is a protocol buffer (sentencepiece_model.proto). Only the fields that decide how text is encoded are read, by
the wire format itself: a tag, then a varint, eight bytes, a length with bytes, or four bytes.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from longra.errors import FormatError
from longra.text.folder import optional_object
from longra.text.gguf_tokenizer import NORMAL, USER_DEFINED, read_gguf_tokenizer
from longra.text.parts import TokenizerParts

MAX_FILE_BYTES = 1 << 26
_BPE = 2  # TrainerSpec.ModelType

Value = int | bytes


def read_sentencepiece_model(
    path: Path, folder: Path, settings: Mapping[str, Any], config: Mapping[str, Any]
) -> TokenizerParts:
    """Build the tokenizer of a tokenizer.model in BPE mode, as Llama, Mistral, Gemma and Phi-3 use it.

    Args:
        path: the file.
        folder: where added_tokens.json may be.
        settings: tokenizer_config.json, for add_bos_token and add_eos_token.
        config: config.json, for the ids that begin and end a text.

    Raises:
        FormatError: the file is wrong, or of a mode that Longra does not read.
    """
    data = path.read_bytes()
    if len(data) > MAX_FILE_BYTES:
        raise FormatError(f"{path} has {len(data):,} bytes, which no vocabulary needs; install the model again")
    try:
        metadata = _metadata(data)
    except (ValueError, IndexError, struct.error) as error:
        raise FormatError(f"{path} is no SentencePiece model: {error}; install the model again") from error
    metadata["general.architecture"] = str(config.get("model_type", ""))
    _add_tokens(metadata, optional_object(folder / "added_tokens.json"))
    for name, default in (("bos", True), ("eos", False)):
        metadata[f"tokenizer.ggml.add_{name}_token"] = settings.get(f"add_{name}_token", default)
        token = config.get(f"{name}_token_id")
        if type(token) is int:
            metadata[f"tokenizer.ggml.{name}_token_id"] = token
    return read_gguf_tokenizer(metadata)


def _metadata(data: bytes) -> dict[str, Any]:
    """The vocabulary under the keys of GGUF, which carries the same things; piece types have the same numbers."""
    tokens: list[str] = []
    scores: list[float] = []
    types: list[int] = []
    trainer: dict[int, Value] = {}
    normalizer: dict[int, Value] = {}
    for field, value in _fields(data):
        if field == 1 and isinstance(value, bytes):
            piece = dict(_fields(value))
            tokens.append(_bytes(piece.get(1, b"")).decode())
            scores.append(struct.unpack("<f", _bytes(piece.get(2, bytes(4))))[0])
            types.append(int(piece.get(3, NORMAL)))
        elif field == 2 and isinstance(value, bytes):
            trainer = dict(_fields(value))
        elif field == 3 and isinstance(value, bytes):
            normalizer = dict(_fields(value))
    if trainer.get(3, 1) != _BPE:
        raise ValueError("it is not in BPE mode, and Longra reads no other; a tokenizer.json would do")
    if normalizer.get(2) or normalizer.get(4, 1):
        raise ValueError("it rewrites text before splitting it, which Longra does not; a tokenizer.json would do")
    ids = {"unknown": (40, 0), "bos": (41, 1), "eos": (42, 2)}
    named = {name: int(trainer.get(field, default)) for name, (field, default) in ids.items()}
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.add_space_prefix": bool(normalizer.get(3, 1)),
        **{f"tokenizer.ggml.{name}_token_id": token for name, token in named.items() if 0 <= token < len(tokens)},
    }


def _add_tokens(metadata: dict[str, Any], added: Mapping[str, Any]) -> None:
    """Tokens of added_tokens.json, which follow those of the model."""
    tokens = metadata["tokenizer.ggml.tokens"]
    for text, token in sorted(((t, i) for t, i in added.items() if type(i) is int), key=lambda pair: pair[1]):
        if token != len(tokens):
            continue
        tokens.append(text)
        metadata["tokenizer.ggml.scores"].append(0.0)
        metadata["tokenizer.ggml.token_type"].append(USER_DEFINED)


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """(number, value) of each field of a message."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        kind = tag & 7
        if kind == 0:
            value, place = _varint(data, place)
            yield tag >> 3, value - (1 << 64) if value >> 63 else value
            continue
        if kind == 2:
            size, place = _varint(data, place)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"byte {place:,} begins a field of kind {kind}")
        if size > len(data) - place:
            raise ValueError(f"byte {place:,} begins a field of {size:,} bytes, and {len(data) - place:,} are left")
        yield tag >> 3, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError(f"byte {place:,} ends a number of more than ten bytes")


def _bytes(value: Value) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where bytes belong")
    return value
