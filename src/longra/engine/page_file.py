"""A KV page as a file: a head that names it, the page, and a checksum over both.

Little-endian: magic (8 bytes), format (u32), tokens (u32), bytes of the page (u64), the key of the page before (16 bytes);
an entry (i32) for each token; the page; SHA-256 of all that.
"""

import hashlib
import struct
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from longra.backends.base import PAGE_TOKENS

KEY_BYTES = 16
MAGIC = b"LONGRAKV"
FORMAT = 1
_HEAD = struct.Struct(f"<8sIIQ{KEY_BYTES}s")
_SUM_BYTES = 32

Entries = tuple[int, ...]
"""What a page holds: for each token 2 * id, plus 1 if the decode arithmetic brought it into the cache."""


def entries_of(tokens: Items[int], made: Items[int]) -> Entries:
    """Entries of tokens, as many as there are of both; made is 0 for prefill, 1 for decode."""
    return tuple(2 * token + how for token, how in zip(tokens, made, strict=False))


@dataclass(frozen=True)
class Head:
    """What a file says of its page.

    Attributes:
        parent: key of the page before it.
        entries: its tokens and how each was made, 1 to PAGE_TOKENS.
        page_bytes: size of the page.
    """

    parent: bytes
    entries: Entries
    page_bytes: int

    @property
    def key(self) -> bytes:
        """The page's own key."""
        return page_key(self.parent, self.entries)

    @property
    def size(self) -> int:
        """Bytes of the head."""
        return _HEAD.size + 4 * len(self.entries)


def page_key(parent: bytes, entries: Items[int]) -> bytes:
    """The key of a page: a hash of the key before it and of its own entries, so that it stands for all text up to here."""
    return hashlib.sha256(parent + np.array(entries, "<i4").tobytes()).digest()[:KEY_BYTES]


def write_page(file: BinaryIO, head: Head, page: bytes) -> None:
    """Write a page file, from where the file is.

    Raises:
        OSError: the disk is full, or cannot be written.
    """
    packed = _HEAD.pack(MAGIC, FORMAT, len(head.entries), len(page), head.parent)
    packed += np.array(head.entries, "<i4").tobytes()
    checksum = hashlib.sha256(packed)
    checksum.update(page)
    for part in (packed, page, checksum.digest()):
        file.write(part)


def read_head(file: BinaryIO) -> Head | None:
    """The head of a page file; None if it is none. Only its key tells whether its entries are what was written."""
    packed = file.read(_HEAD.size)
    if len(packed) < _HEAD.size:
        return None
    magic, number, count, page_bytes, parent = _HEAD.unpack(packed)
    if magic != MAGIC or number != FORMAT or not 1 <= count <= PAGE_TOKENS:
        return None
    entries = file.read(4 * count)
    if len(entries) < 4 * count:
        return None
    return Head(parent, tuple(np.frombuffer(entries, "<i4").tolist()), page_bytes)


def read_page(file: BinaryIO, key: bytes, page_bytes: int) -> bytes | None:
    """The page of a file; None if the file is cut off, too long, changed in any bit, or another page's.

    Args:
        key: of the page that is wanted.
        page_bytes: its size.
    """
    head = read_head(file)
    if head is None or head.key != key or head.page_bytes != page_bytes:
        return None
    file.seek(0)
    data = file.read(head.size + page_bytes + _SUM_BYTES + 1)
    end = head.size + page_bytes
    if len(data) != end + _SUM_BYTES or hashlib.sha256(memoryview(data)[:end]).digest() != data[end:]:
        return None
    return data[head.size : end]
