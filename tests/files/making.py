"""Makes model files for the tests: real ones with the formats' own packages, hostile ones byte by byte."""

import itertools
import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np

STRING, ARRAY, U32, U64, F32, BOOL = 8, 9, 4, 10, 6, 7


def text(value: str | bytes) -> bytes:
    """A GGUF string: 64-bit length, bytes."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def entry(key: str | bytes, kind: int, value: bytes) -> bytes:
    """A GGUF metadata entry."""
    return text(key) + struct.pack("<I", kind) + value


def array(kind: int, count: int, values: bytes = b"") -> bytes:
    """The value of a GGUF metadata array."""
    return struct.pack("<IQ", kind, count) + values


def described(name: str | bytes, extents: tuple[int, ...], kind: int, offset: int) -> bytes:
    """A GGUF tensor description; extents in the file's order."""
    return text(name) + struct.pack(f"<I{len(extents)}QIQ", len(extents), *extents, kind, offset)


def raw_gguf(
    entries: tuple[bytes, ...] = (),
    tensors: tuple[bytes, ...] = (),
    data: bytes = b"",
    *,
    version: int = 3,
    tensor_count: int | None = None,
    entry_count: int | None = None,
    alignment: int = 32,
) -> bytes:
    """A GGUF file of parts that need not fit each other."""
    counts = (
        len(tensors) if tensor_count is None else tensor_count,
        len(entries) if entry_count is None else entry_count,
    )
    head = struct.pack("<4sIQQ", b"GGUF", version, *counts) + b"".join(entries) + b"".join(tensors)
    return head + bytes(-len(head) % alignment) + data


def write_model_gguf(path: Path, tokens: int = 300, layers: int = 3) -> dict[str, np.ndarray[Any, Any]]:
    """A small GGUF model with the metadata and the tokenizer that real ones carry. Returns its float tensors."""
    rng = np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_block_count(layers)
    writer.add_context_length(2048)
    writer.add_embedding_length(64)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_tokenizer_model("gpt2")
    words = [f"词{index}" if index % 3 else f"<0x{index:04X}>" for index in range(tokens)]
    writer.add_token_list(words)
    writer.add_token_types([1 + index % 6 for index in range(tokens)])
    writer.add_token_scores([-float(index) for index in range(tokens)])
    writer.add_token_merges([f"{first} {second}" for first, second in itertools.pairwise(words)])
    writer.add_add_bos_token(True)
    writer.add_bos_token_id(1)
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")
    floats: dict[str, np.ndarray[Any, Any]] = {"token_embd.weight": rng.normal(size=(tokens, 64)).astype(np.float32)}
    for layer in range(layers):
        floats[f"blk.{layer}.attn_norm.weight"] = rng.normal(size=64).astype(np.float32)
        floats[f"blk.{layer}.attn_q.weight"] = rng.normal(size=(64, 64)).astype(np.float16)
    for name, values in floats.items():
        writer.add_tensor(name, values)
    packed = gguf.quantize(rng.normal(size=(16, 64)).astype(np.float32), gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("output.weight", packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return floats
