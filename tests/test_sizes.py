"""Sizes and counts are written and read as people write them."""

import pytest

from longra.sizes import counted, human_bytes, parse_bytes


def test_sizes_have_three_digits_and_decimal_units() -> None:
    written = [human_bytes(n) for n in (0, 999, 1000, 98_362_432, 999_500_000, 1_500_000_000, 2e15)]
    assert written == ["0 B", "999 B", "1 kB", "98.4 MB", "1 GB", "1.5 GB", "2e+03 TB"]


@pytest.mark.parametrize(
    ("text", "size"), [("500MB", 500_000_000), ("8G", 8 * 10**9), (" 1.5 tb ", 1.5e12), ("12", 12)]
)
def test_sizes_are_read(text: str, size: float) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1G", "1.G", "8 GiB", "1e9"])
def test_what_is_no_size(text: str) -> None:
    assert parse_bytes(text) is None


def test_counts_agree_with_their_nouns() -> None:
    assert [counted(n, "word") for n in (0, 1, 1200)] == ["0 words", "1 word", "1,200 words"]
