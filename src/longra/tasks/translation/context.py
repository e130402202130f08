"""What a model sees of a document before the sentence that it translates."""

from collections.abc import Sequence
from typing import NamedTuple

PAIRS, KEPT_PAIRS = 8, 4
CHARACTERS, KEPT_CHARACTERS = 2000, 1000
"""When there are more of either, only the last that are no more than the second figure stay. So most prompts begin with
the whole of the one before, which the prefix cache has."""


class Pair(NamedTuple):
    """A sentence and its translation."""

    source: str
    target: str


def window(pairs: Sequence[Pair]) -> Sequence[Pair]:
    """Those of the pairs that the next sentence's prompt shows."""
    start = 0
    for end in range(1, len(pairs) + 1):
        if not _fits(pairs[start:end], PAIRS, CHARACTERS):
            start = next(at for at in range(start + 1, end + 1) if _fits(pairs[at:end], KEPT_PAIRS, KEPT_CHARACTERS))
    return pairs[start:]


def _fits(pairs: Sequence[Pair], count: int, characters: int) -> bool:
    return len(pairs) <= count and sum(len(pair.source) + len(pair.target) for pair in pairs) <= characters
