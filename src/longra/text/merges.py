"""Finds the merges of a SentencePiece vocabulary, which stores pieces and their scores only.

SentencePiece joins the two neighbours whose union is the piece with the best score, so every way to cut a piece into
two pieces is a merge, and its rank is the rank of the union (Kudo and Richardson 2018, BPE mode). A vocabulary of
262,144 pieces has a million cuts and half a million merges. A dictionary look-up for each takes over a second; here
all cuts are looked up at once by a rolling hash, in a quarter of that.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from longra.arrays import Int32
from longra.errors import FormatError

Hashes = npt.NDArray[np.uint64]
Ids = Int32
Places = npt.NDArray[np.int64]

MAX_CHARACTERS = 1 << 25
"""Of all pieces together; a vocabulary of 262,144 pieces has two million."""

_BASE = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2^64 and a substring's hash can be moved to place 0
_INVERSE = pow(_BASE, -1, 1 << 64)
_SPREAD = np.uint64(0xBF58476D1CE4E5B9)
_BUCKET_BITS = 21


def merges_of(tokens: list[str], ranked: npt.NDArray[np.intp], parts: npt.NDArray[np.bool_]) -> list[tuple[str, str]]:
    """All merges of a vocabulary, best first.

    Args:
        tokens: the pieces by id, n of them.
        ranked: the ids of the pieces that merges may make, best score first.
        parts: [n], which pieces merges may join.

    Returns:
        (left, right) of each merge; for one union the longest left part comes first.

    Raises:
        FormatError: the pieces have more than MAX_CHARACTERS characters.
    """
    text = _Hashed.of(tokens)
    lengths = text.stops - text.starts
    ranked = ranked[lengths[ranked] > 1]
    cuts_each = lengths[ranked] - 1
    union = np.repeat(ranked, cuts_each)
    past_last = text.stops[ranked] - 1 + np.cumsum(cuts_each) - cuts_each
    cut = np.repeat(past_last, cuts_each) - np.arange(len(union))

    table = _Table(text.spans(text.starts, text.stops), np.flatnonzero(parts).astype(np.int32))
    left = table.find(text.spans(text.starts[union], cut))
    found = left >= 0
    left, cut, stop = left[found], cut[found], text.stops[union[found]]
    right = table.find(text.spans(cut, stop))
    found = right >= 0

    strings = np.array(tokens, dtype=object)
    return list(zip(strings[left[found]].tolist(), strings[right[found]].tolist(), strict=True))


@dataclass(frozen=True)
class _Hashed:
    """The pieces one after the other, with sums that give the hash of any span of them in constant time."""

    sums: Hashes  # [characters + 1]
    shifts: Hashes  # [characters + 1], powers of the inverse base
    starts: Places  # [pieces]
    stops: Places  # [pieces]

    @classmethod
    def of(cls, tokens: list[str]) -> "_Hashed":
        joined = "".join(tokens)
        if len(joined) > MAX_CHARACTERS:
            raise FormatError(f"the pieces of the tokenizer have {len(joined):,} characters, over {MAX_CHARACTERS:,}")
        characters = np.frombuffer(joined.encode("utf-32-le"), np.uint32).astype(np.uint64)
        lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
        stops = np.cumsum(lengths)
        mixed = (characters + np.uint64(1)) * _SPREAD
        mixed ^= mixed >> np.uint64(29)
        mixed *= _powers(_BASE, len(characters))
        sums = np.zeros(len(characters) + 1, np.uint64)
        np.cumsum(mixed, out=sums[1:])
        return cls(sums, _powers(_INVERSE, len(characters) + 1), stops - lengths, stops)

    def spans(self, starts: Places, stops: Places) -> Hashes:
        """Hashes of the characters [start, stop), which depend on these characters only."""
        return (self.sums[stops] - self.sums[starts]) * self.shifts[starts]


def _powers(base: int, count: int) -> Hashes:
    """base^0 ... base^(count - 1) modulo 2^64."""
    powers = np.full(count, base, np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, out=powers)


class _Table:
    """Ids by hash: one probe for most, a binary search among the few that lost their bucket to another."""

    def __init__(self, hashes: Hashes, ids: Ids) -> None:
        self._hashes = hashes
        self._buckets = np.full(1 << _BUCKET_BITS, -1, np.int32)
        slots = self._slots(hashes[ids])
        self._buckets[slots] = ids
        lost = ids[self._buckets[slots] != ids]
        self._lost = lost[np.argsort(hashes[lost])]

    @staticmethod
    def _slots(hashes: Hashes) -> npt.NDArray[np.intp]:
        return (hashes >> np.uint64(64 - _BUCKET_BITS)).astype(np.intp)

    def find(self, wanted: Hashes) -> Ids:
        """The id of each hash, -1 where there is none."""
        ids = self._buckets[self._slots(wanted)]
        wrong = (ids >= 0) & (self._hashes[ids] != wanted)
        ids[wrong] = -1
        if len(self._lost):
            again = np.flatnonzero(wrong)
            place = np.searchsorted(self._hashes[self._lost], wanted[again])
            candidate = self._lost[np.minimum(place, len(self._lost) - 1)]
            ids[again] = np.where(self._hashes[candidate] == wanted[again], candidate, np.int32(-1))
        return ids
