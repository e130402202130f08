"""Longest common subsequences of two token lists, 64 columns of the table at a time.

The table of the textbook, t[i][j] = length for first[:i] and second[:j], grows by 0 or 1 from each cell to the next in a
row, so a row is a number with one bit a column, and is made from the row above by an addition (Hyyrö, Bit-parallel
LCS-length computation revisited, 2004). Two texts of 5,000 words take milliseconds and a few megabytes.
"""

from collections import defaultdict
from collections.abc import Sequence


def lcs_length(first: Sequence[str], second: Sequence[str]) -> int:
    """How many tokens the longest common subsequence has."""
    rows = _rows(first, second)
    return rows[-1].bit_count() if rows else 0


def lcs_places(first: Sequence[str], second: Sequence[str]) -> list[int]:
    """Places in `first` of one longest common subsequence, in ascending order.

    Of several equally long ones it is the one that rouge-score takes: walking back from the last cell, a match is taken
    wherever there is one; else the walk drops a token of `second` only if dropping one of `first` would lose length.
    """
    rows = [0, *_rows(first, second)]
    places: list[int] = []
    i, j = len(first), len(second)
    while i and j:
        if first[i - 1] == second[j - 1]:
            places.append(i - 1)
            i, j = i - 1, j - 1
        elif _length(rows[i], j - 1) > _length(rows[i - 1], j):
            j -= 1
        else:
            i -= 1
    return places[::-1]


def _rows(first: Sequence[str], second: Sequence[str]) -> list[int]:
    """The table's rows: bit j of row i is t[i + 1][j + 1] - t[i + 1][j]."""
    columns: defaultdict[str, int] = defaultdict(int)
    for j, token in enumerate(second):
        columns[token] |= 1 << j
    whole = (1 << len(second)) - 1
    flat = whole  # bits of the row so far, inverted: where it does not grow
    rows = []
    for token in first:
        matches = flat & columns.get(token, 0)
        flat = (flat + matches) | (flat - matches)
        flat &= whole
        rows.append(flat ^ whole)
    return rows


def _length(row: int, columns: int) -> int:
    """t[i][columns]."""
    return (row & ((1 << columns) - 1)).bit_count()
