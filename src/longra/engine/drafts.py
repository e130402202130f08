"""Guesses at how a text goes on, from what prompt, text and a given file already hold."""

from collections.abc import Iterable
from copy import copy

SIZES = (8, 4, 3)
"""Runs of so many tokens are found again. Shorter ones are followed by too many different tokens."""

_NEAR = 8
"""A copy that was left is taken up again at most so many tokens further on."""

_BREAK = -1
"""No token: nothing is copied across it."""

_WEIGHT = 0.05
"""How much one token changes a rate of right guesses."""

_RATES = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
"""First belief: guesses that are right after a match of 1, 2, 4, 8, 16, 32 tokens or more."""


class Drafts:
    """Follows a text and guesses its next tokens (prompt lookup, Saxena 2023; REST, He et al. 2023).

    It keeps a place in the past from which the text seems to be copied: where its longest known end occurred last. A
    token costs a constant time. Each guess is compared with the token that came, whether or not it was used, so that
    it is known how often guesses after a match of some length are right.

    Args:
        tokens: a past that the text does not continue, such as a file.

    Attributes:
        followed: tokens of the text so far.
    """

    def __init__(self, tokens: Iterable[int] = ()) -> None:
        self._tokens: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}
        self._rates = list(_RATES)
        self._place = 0
        self._match = 0
        self._left = 0
        self.followed = 0
        for token in tokens:
            self._index(token)
        self._index(_BREAK)

    def fork(self) -> "Drafts":
        """The same past, for a text of its own."""
        other = copy(self)
        other._tokens, other._after, other._rates = list(self._tokens), dict(self._after), list(self._rates)
        return other

    def add(self, token: int) -> None:
        """The text has grown by a token."""
        self.followed += 1
        going_on = bool(self._match) and self._tokens[self._place] == token
        if self._match:
            self._learn(going_on)
            self._left = 0 if going_on else self._place
        found, place = self._index(token)
        if going_on and self._match + 1 >= found:
            self._place, self._match = self._place + 1, self._match + 1
        elif found:
            self._place, self._match = place, found
        else:
            self._resume(token)

    def guess(self, most: int) -> list[tuple[int, float]]:
        """The next tokens, at most `most`, each with the chance that it and all before it are right."""
        if not self._match:
            return []
        guesses = []
        chance = 1.0
        for step, token in enumerate(self._tokens[self._place : self._place + most]):
            if token == _BREAK:
                break
            chance *= self._rates[_level(self._match + step)]
            guesses.append((token, chance))
        return guesses

    def _resume(self, token: int) -> None:
        """Take up the copy that was left: after a word that was replaced, a text goes on near by."""
        near = self._tokens[self._left : min(self._left + _NEAR, len(self._tokens) - 1)] if self._left else []
        self._match = int(token in near)
        if self._match:
            self._place = self._left + near.index(token) + 1

    def _index(self, token: int) -> tuple[int, int]:
        """Put a token into the past. Gives the longest run that ends with it and was there before, and what followed."""
        self._tokens.append(token)
        longest = place = 0
        for size in SIZES:
            run = tuple(self._tokens[-size:])
            if len(run) == size:
                if not longest and run in self._after:
                    longest, place = size, self._after[run]
                self._after[run] = len(self._tokens)
        return longest, place

    def _learn(self, hit: bool) -> None:
        level = _level(self._match)
        self._rates[level] += (hit - self._rates[level]) * _WEIGHT


def _level(match: int) -> int:
    """Matches from 1, 2, 4, 8, 16 and 32 tokens on."""
    return min(match.bit_length(), len(_RATES) - 1)
