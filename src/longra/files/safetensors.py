"""Reads safetensors (format: README of huggingface/safetensors): a length, a JSON header, then the tensors' bytes."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from longra.errors import FormatError
from longra.files.blocks import BLOCKS
from longra.files.json_object import parse_object
from longra.files.mapped import AGAIN, MappedFile, shown
from longra.files.tensor import Tensor

MAX_HEADER_BYTES = 100_000_000  # the format's own limit
MAX_DIMENSIONS = 8

KINDS = ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL")
"""Types of the format that are stored types too, under the same names."""


def read_safetensors(path: Path) -> tuple[MappedFile, dict[str, Tensor]]:
    """Open a .safetensors file.

    Returns:
        The mapped file, and its tensors by name as views of it. The format promises no alignment of them.

    Raises:
        ModelNotFoundError: there is no such file.
        FormatError: it is cut off, corrupt, or has a type that is not known.
    """
    file = MappedFile(path)
    if file.size < 8:
        raise FormatError(f"{path} has {file.size} bytes, a safetensors file has more than 8; {AGAIN}")
    length = int.from_bytes(file.map[:8], "little")
    if length > min(MAX_HEADER_BYTES, file.size - 8):
        raise FormatError(
            f"{path} is cut off, corrupt or not a safetensors file: it says that its header takes {length:,} bytes, "
            f"of {file.size:,} in all; {AGAIN}"
        )
    header = parse_object(file.map[8 : 8 + length], f"the header of {path}", unique=True)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise FormatError(f"{path}: __metadata__ of the header is not an object of strings; {AGAIN}")
    data = file.data[8 + length :]
    tensors: dict[str, Tensor] = {}
    spans: list[tuple[int, int, str]] = []
    for name, entry in header.items():
        kind, shape, start, stop = _description(entry, f"{path}: tensor {shown(name)}", len(data))
        if not name or not name.isprintable():
            raise FormatError(f"{path}: a tensor's name is empty or has control characters: {shown(name)}; {AGAIN}")
        tensors[name] = Tensor(name, kind, shape, data[start:stop])
        spans.append((start, stop, name))
    _check_cover(path, spans, len(data))
    return file, tensors


def _description(entry: Any, called: str, size: int) -> tuple[str, tuple[int, ...], int, int]:
    """(stored type, shape, first byte, byte after the last) of a header's entry; size is that of the data."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise FormatError(f"{called}: its entry is not an object of dtype, shape and data_offsets; {AGAIN}")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in KINDS:
        known = ", ".join(KINDS)
        raise FormatError(f"{called} is stored as {shown(dtype)}, which is not supported; choose a file with {known}")
    if not _counts(shape) or len(shape) > MAX_DIMENSIONS:
        raise FormatError(f"{called}: its shape is not a list of at most {MAX_DIMENSIONS} counts; {AGAIN}")
    if not _counts(offsets) or len(offsets) != 2 or not offsets[0] <= offsets[1] <= size:
        raise FormatError(f"{called}: the file is cut off or its data_offsets do not lie in {size:,} bytes; {AGAIN}")
    needed = BLOCKS[dtype][1]
    for extent in shape:
        needed *= extent
    stored = offsets[1] - offsets[0]
    if needed != stored:
        raise FormatError(f"{called}: shape {shape} of {dtype} takes {shown(needed)} bytes, it has {stored:,}; {AGAIN}")
    return dtype, tuple(shape), offsets[0], offsets[1]


def _counts(value: Any) -> bool:
    """Whether a JSON value is a list of integers from 0 to 2^63 - 1."""
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 63 for item in value)


def _check_cover(path: Path, spans: list[tuple[int, int, str]], size: int) -> None:
    """The tensors must cover the data without holes or overlaps, which the format asks for."""
    spans.sort()
    for (_, stop, name), (start, _, other) in pairwise([(0, 0, "__metadata__"), *spans]):
        if start != stop:
            word = "overlap" if start < stop else "leave a hole"
            raise FormatError(f"{path}: tensors {shown(name)} and {shown(other)} {word} at byte {start:,}; {AGAIN}")
    end = spans[-1][1] if spans else 0
    if end != size:
        raise FormatError(f"{path}: its tensors take {end:,} bytes and {size:,} follow the header; {AGAIN}")
