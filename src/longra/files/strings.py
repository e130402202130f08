"""Arrays of strings in GGUF metadata (a tokenizer's tokens and merges), decoded when they are looked at."""

import mmap
import struct
from collections.abc import Iterator, Sequence
from typing import overload

from longra.errors import FormatError
from longra.files.mapped import AGAIN, shown

MAX_STRINGS = 1 << 22
"""The largest vocabularies have 2^18 tokens and 2^19 merges."""

_LENGTH = struct.Struct("<Q")


def skip_strings(data: mmap.mmap, start: int, count: int) -> int:
    """Byte after `count` strings (64-bit length, then the bytes) that begin at `start`, all checked to be in the map.

    Raises:
        FormatError: there are too many strings, or they do not end in the map.
    """
    size = len(data)
    if count > min(MAX_STRINGS, (size - start) // 8):
        raise FormatError(f"{count:,} strings do not fit in the {size - start:,} bytes left (limit {MAX_STRINGS:,})")
    unpack_from = _LENGTH.unpack_from
    position = start
    try:
        for _ in range(count):
            position += 8 + unpack_from(data, position)[0]
    except (struct.error, OverflowError):
        position = size + 1
    if position > size:
        raise FormatError(f"the {count:,} strings end beyond the end of the file")
    return position


class StringArray(Sequence[str]):
    """A read-only sequence of strings over mapped bytes that `skip_strings` has checked. `tolist` is the fast way."""

    def __init__(self, data: mmap.mmap, start: int, stop: int, count: int, name: str) -> None:
        self._data = data
        self._span = (start, stop)
        self._count = count
        self._name = name
        self._decoded: list[str] | None = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._strings()[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._strings())

    def tolist(self) -> list[str]:
        """A new list of all strings.

        Raises:
            FormatError: one of them is not UTF-8.
        """
        return list(self._strings())

    def tobytes(self) -> list[bytes]:
        """All strings as they are stored."""
        start, stop = self._span
        block = self._data[start:stop]
        unpack_from = _LENGTH.unpack_from
        strings: list[bytes] = []
        position = 0
        for _ in range(self._count):
            begin = position + 8
            position = begin + unpack_from(block, position)[0]
            strings.append(block[begin:position])
        return strings

    def _strings(self) -> list[str]:
        if self._decoded is None:
            stored = self.tobytes()
            try:
                self._decoded = [string.decode() for string in stored]
            except UnicodeDecodeError as error:
                wrong = shown(error.object)
                raise FormatError(f"{self._name} holds a string that is not UTF-8: {wrong}; {AGAIN}") from error
        return self._decoded
