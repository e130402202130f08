"""Page files: what was written comes back, and nothing else ever does."""

import io
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longra.backends.base import PAGE_TOKENS
from longra.engine.page_file import Head, page_key, read_head, read_page, write_page

entries = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=PAGE_TOKENS).map(tuple)
keys = st.binary(min_size=16, max_size=16)


def written(head: Head, page: bytes) -> bytes:
    file = io.BytesIO()
    write_page(file, head, page)
    return file.getvalue()


@given(keys, entries, st.binary(max_size=300))
def test_a_page_comes_back(parent: bytes, held: tuple[int, ...], page: bytes) -> None:
    head = Head(parent, held, len(page))
    data = written(head, page)
    assert read_head(io.BytesIO(data)) == head
    assert read_page(io.BytesIO(data), head.key, len(page)) == page


@given(keys, entries, st.binary(min_size=1, max_size=300), st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_a_damaged_file_gives_no_page(parent: bytes, held: tuple[int, ...], page: bytes, dice: random.Random) -> None:
    head = Head(parent, held, len(page))
    whole = written(head, page)
    data = damaged(whole, dice)
    assert read_page(io.BytesIO(data), head.key, len(page)) is None or data == whole
    found = read_head(io.BytesIO(data))  # whatever it says, it does not have the key of what was written
    assert found is None or found.key != head.key or (found.parent, found.entries) == (parent, held)


def damaged(data: bytes, dice: random.Random) -> bytes:
    """A copy with a bit turned, a part cut out, repeated or replaced, an extreme number, or an end of its own."""
    copy = bytearray(data)
    at = dice.randrange(len(copy))
    kind = dice.randrange(6)
    if kind == 0:
        copy[at] ^= 1 << dice.randrange(8)
    elif kind == 1:
        del copy[at:]
    elif kind == 2:
        del copy[at : at + dice.randrange(1, 40)]
    elif kind == 3:
        copy[at:at] = copy[at : at + dice.randrange(1, 40)]
    elif kind == 4:
        copy[at : at + 4] = struct.pack("<I", dice.choice([0, 1, 64, 65, 2**31 - 1, 2**31, 2**32 - 1]))
    else:
        copy += dice.randbytes(dice.randrange(1, 40))
    return bytes(copy)


def test_every_bit_counts() -> None:
    head = Head(bytes(16), (2, 5, 9), 40)
    whole = written(head, bytes(range(40)))
    for at in range(8 * len(whole)):
        data = bytearray(whole)
        data[at // 8] ^= 1 << at % 8
        assert read_page(io.BytesIO(data), head.key, 40) is None, at


@pytest.mark.parametrize("size", [39, 41, 0])
def test_a_page_of_another_size_is_not_taken(size: int) -> None:
    head = Head(bytes(16), (2, 5, 9), 40)
    assert read_page(io.BytesIO(written(head, bytes(40))), head.key, size) is None


def test_another_pages_file_is_not_taken() -> None:
    head, other = Head(bytes(16), (2, 5, 9), 40), Head(bytes(16), (2, 5, 8), 40)
    assert read_page(io.BytesIO(written(other, bytes(40))), head.key, 40) is None


@given(keys, entries, keys, entries)
def test_keys_differ_where_anything_does(one: bytes, a: tuple[int, ...], other: bytes, b: tuple[int, ...]) -> None:
    assert (page_key(one, a) == page_key(other, b)) == ((one, a) == (other, b))
