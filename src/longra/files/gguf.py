"""Reads GGUF, versions 2 and 3, little-endian (specification: docs/gguf.md of the ggml project).

A file is a header (magic, version, number of tensors, number of metadata entries), the metadata, the tensors' names,
dimensions, types and offsets, and after padding the tensors' bytes. Every number of it is checked before it is used.
"""

import re
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from longra.errors import FormatError
from longra.files.blocks import BLOCKS
from longra.files.gguf_types import ARRAY, BOOL, NUMBERS, STRING, TENSOR_TYPES
from longra.files.mapped import AGAIN, MappedFile, shown
from longra.files.strings import StringArray, skip_strings
from longra.files.tensor import Tensor

# Far above what any model has; they bound the time and memory that a hostile file can take.
MAX_ENTRIES = 1 << 16
MAX_TENSORS = 1 << 17
MAX_KEY_BYTES = (1 << 16) - 1
MAX_TEXT_BYTES = 1 << 26
MAX_DIMENSIONS = 4
MAX_NESTING = 4
MAX_NESTED = 1 << 12

SPLIT_NAME = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf")


@dataclass(frozen=True, eq=False)
class Gguf:
    """An opened GGUF model: its files (several if it is split), metadata and tensors by name, in the file's order."""

    files: list[MappedFile]
    metadata: dict[str, Any]
    tensors: dict[str, Tensor]


class _Cursor:
    """Reads values one after another; each read is checked against the end of the file."""

    def __init__(self, file: MappedFile) -> None:
        self.file = file
        self.position = 0

    def fail(self, cause: str, next_step: str = AGAIN) -> FormatError:
        return FormatError(f"{self.file.path}: {cause} (byte {self.position:,} of {self.file.size:,}); {next_step}")

    def take(self, count: int, what: str) -> bytes:
        left = self.file.size - self.position
        if count > left:
            raise self.fail(f"the file is cut off or corrupt: {what} takes {count:,} bytes and {left:,} are left")
        start = self.position
        self.position += count
        return self.file.map[start : start + count]

    def u32(self, what: str) -> int:
        return int.from_bytes(self.take(4, what), "little")

    def u64(self, what: str) -> int:
        return int.from_bytes(self.take(8, what), "little")

    def text(self, what: str, limit: int) -> str:
        length = self.u64(f"the length of {what}")
        if length > limit:
            raise self.fail(f"{what} is {length:,} bytes long, at most {limit:,} are allowed")
        data = self.take(length, what)
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise self.fail(f"{what} is not UTF-8: {shown(data)}") from error

    def name(self, what: str) -> str:
        name = self.text(what, MAX_KEY_BYTES)
        if not name or not name.isprintable():
            raise self.fail(f"{what} is empty or has control characters: {shown(name)}")
        return name

    def array(self, kind: str, count: int, what: str) -> npt.NDArray[Any]:
        """A view of count numbers, not aligned; the caller's kind is a numpy type of the file's byte order."""
        dtype = np.dtype(kind)
        left = self.file.size - self.position
        if count > left // dtype.itemsize:
            raise self.fail(f"{what} has {count:,} values of {dtype.itemsize} bytes and {left:,} bytes are left")
        values = np.frombuffer(self.file.map, dtype, count, self.position)
        self.position += count * dtype.itemsize
        return values


def read_gguf(path: Path) -> Gguf:
    """Open a GGUF file, or all files of a split one (`NAME-00001-of-00003.gguf`) given any of them.

    Returns:
        Metadata values are int, float, bool, str; arrays of numbers are numpy arrays, of strings StringArrays, of
        arrays lists. Tensors are views of the mapped files.

    Raises:
        ModelNotFoundError: the file, or a part of a split model, is not there.
        FormatError: the file is cut off, corrupt, of another version, or holds a tensor type that is not known.
    """
    first = _read_one(path)
    parts = first.metadata.get("split.count", 1)
    if not isinstance(parts, int) or not 0 <= parts <= 99_999:
        raise FormatError(f"{path}: split.count is {shown(parts)}, a number of files is needed; {AGAIN}")
    return first if parts <= 1 else _read_split(path, parts)


def _read_split(path: Path, parts: int) -> Gguf:
    match = SPLIT_NAME.fullmatch(path.name)
    if match is None or int(match[3]) != parts:
        example = f"NAME-00001-of-{parts:05}.gguf"
        raise FormatError(f"{path} is one of {parts} parts of a split model, and they are named {example}; rename it")
    paths = [path.with_name(f"{match[1]}-{number:05}-of-{parts:05}.gguf") for number in range(1, parts + 1)]
    missing = [part.name for part in paths if not part.is_file()]
    if missing:
        names = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise FormatError(f"{len(missing)} of the {parts} parts of {path} are missing: {names}; put them beside it")
    files: list[MappedFile] = []
    metadata: dict[str, Any] = {}
    tensors: dict[str, Tensor] = {}
    for number, part in enumerate(paths):
        opened = _read_one(part)
        if opened.metadata.get("split.no") != number or opened.metadata.get("split.count") != parts:
            raise FormatError(f"{part} says that it is not part {number + 1} of {parts}; {AGAIN}")
        twice = tensors.keys() & opened.tensors.keys()
        if twice:
            raise FormatError(f"{part}: tensor {shown(min(twice))} is in an earlier part too; {AGAIN}")
        files += opened.files
        metadata = opened.metadata | metadata  # the first part's metadata are the model's
        tensors |= opened.tensors
    return Gguf(files, metadata, tensors)


def _read_one(path: Path) -> Gguf:
    cursor = _Cursor(MappedFile(path))
    tensor_count, entry_count = _header(cursor)
    metadata = _metadata(cursor, entry_count)
    return Gguf([cursor.file], metadata, _tensors(cursor, tensor_count, _alignment(cursor, metadata)))


def _header(cursor: _Cursor) -> tuple[int, int]:
    """(number of tensors, number of metadata entries)."""
    magic = cursor.take(4, "the header")
    if magic != b"GGUF":
        raise cursor.fail(f"this is not a GGUF file: it begins with {shown(magic)}", "give a .gguf file or a folder")
    version = cursor.u32("the version")
    if version not in (2, 3):
        if int.from_bytes(version.to_bytes(4, "little"), "big") in (1, 2, 3):
            raise cursor.fail("this GGUF file is big-endian", "fetch or convert to the little-endian one")
        raise cursor.fail(f"GGUF version {version} is not known, only 2 and 3 are", "convert the model again")
    tensor_count, entry_count = cursor.u64("the number of tensors"), cursor.u64("the number of metadata entries")
    for count, limit, what in ((tensor_count, MAX_TENSORS, "tensors"), (entry_count, MAX_ENTRIES, "metadata entries")):
        if count > limit:
            raise cursor.fail(f"the header counts {count:,} {what}, at most {limit:,} are allowed")
    return tensor_count, entry_count


def _metadata(cursor: _Cursor, count: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for index in range(count):
        key = cursor.name(f"the key of metadata entry {index}")
        if key in metadata:
            raise cursor.fail(f"the metadata key {shown(key)} is there twice")
        metadata[key] = _value(cursor, cursor.u32(f"the type of {shown(key)}"), shown(key), 0)
    return metadata


def _value(cursor: _Cursor, kind: int, key: str, depth: int) -> Any:
    """A metadata value of any type; depth counts the arrays around it."""
    if kind == STRING:
        return cursor.text(key, MAX_TEXT_BYTES)
    if kind == ARRAY:
        return _array(cursor, key, depth)
    if kind not in NUMBERS:
        raise cursor.fail(f"{key} has metadata type {kind}, which is not known")
    return _numbers(cursor, kind, 1, key)[0].item()


def _numbers(cursor: _Cursor, kind: int, count: int, key: str) -> npt.NDArray[Any]:
    values = cursor.array(NUMBERS[kind], count, key)
    if kind != BOOL:
        return values
    if count and values.max() > 1:
        raise cursor.fail(f"{key} is a truth value and neither 0 nor 1")
    return values.view(np.bool_)


def _array(cursor: _Cursor, key: str, depth: int) -> Any:
    if depth >= MAX_NESTING:
        raise cursor.fail(f"{key} nests more than {MAX_NESTING} arrays in each other")
    kind, count = cursor.u32(f"the type of {key}"), cursor.u64(f"the length of {key}")
    if kind in NUMBERS:
        return _numbers(cursor, kind, count, key)
    if kind == STRING:
        start = cursor.position
        try:
            cursor.position = skip_strings(cursor.file.map, start, count)
        except FormatError as error:
            raise cursor.fail(f"{key}: {error}") from None
        return StringArray(cursor.file.map, start, cursor.position, count, f"{cursor.file.path}: {key}")
    if kind != ARRAY:
        raise cursor.fail(f"{key} is an array of metadata type {kind}, which is not known")
    if count > MAX_NESTED:
        raise cursor.fail(f"{key} holds {count:,} arrays, at most {MAX_NESTED:,} are allowed")
    return [_array(cursor, key, depth + 1) for _ in range(count)]


def _alignment(cursor: _Cursor, metadata: dict[str, Any]) -> int:
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20 or alignment & (alignment - 1):
        raise cursor.fail(f"general.alignment is {shown(alignment)}, a power of two up to {1 << 20:,} is needed")
    return alignment


def _tensors(cursor: _Cursor, count: int, alignment: int) -> dict[str, Tensor]:
    """All tensors, checked to lie in the file, aligned and apart."""
    described = [_description(cursor, index) for index in range(count)]
    base = -(-cursor.position // alignment) * alignment
    size, data = cursor.file.size, cursor.file.data
    tensors: dict[str, Tensor] = {}
    spans: list[tuple[int, int, str]] = []
    for name, kind, shape, offset in described:
        weights, block = BLOCKS[kind]
        stop = base + offset + _product(shape) // weights * block
        if name in tensors:
            raise cursor.fail(f"tensor {shown(name)} is there twice")
        if offset % alignment:
            raise cursor.fail(f"tensor {shown(name)} begins at {offset:,}, which is not a multiple of {alignment}")
        if stop > size:
            raise cursor.fail(
                f"the file is cut off or corrupt: tensor {shown(name)} ends at byte {stop:,}, the file at {size:,}"
            )
        tensors[name] = Tensor(name, kind, shape, data[base + offset : stop])
        spans.append((offset, stop - base, name))
    for (_, stop, name), (start, _, other) in pairwise(sorted(spans)):
        if start < stop:
            raise cursor.fail(f"tensors {shown(name)} and {shown(other)} overlap by {stop - start:,} bytes")
    return tensors


def _description(cursor: _Cursor, index: int) -> tuple[str, str, tuple[int, ...], int]:
    """(name, stored type, logical shape, offset into the data) of the next tensor."""
    name = cursor.name(f"the name of tensor {index}")
    called = f"tensor {shown(name)}"
    dimensions = cursor.u32(f"the number of dimensions of {called}")
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise cursor.fail(f"{called} has {dimensions:,} dimensions, 1 to {MAX_DIMENSIONS} are allowed")
    extents = struct.unpack(f"<{dimensions}Q", cursor.take(8 * dimensions, f"the dimensions of {called}"))
    number = cursor.u32(f"the type of {called}")
    kind = TENSOR_TYPES.get(number, f"number {number}")
    if kind not in BLOCKS:
        known = ", ".join(BLOCKS)
        raise cursor.fail(f"{called} is stored as {kind}, which is not supported", f"choose a file with {known}")
    if 0 in extents:
        raise cursor.fail(f"{called} has a dimension of 0: {list(extents)}")
    if extents[0] % BLOCKS[kind][0]:
        raise cursor.fail(f"{called} has rows of {extents[0]:,}, {kind} needs a multiple of {BLOCKS[kind][0]}")
    return name, kind, extents[::-1], cursor.u64(f"the offset of {called}")


def _product(extents: tuple[int, ...]) -> int:
    count = 1
    for extent in extents:
        count *= extent
    return count
