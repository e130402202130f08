"""DRY ("don't repeat yourself"): a penalty that grows with the length of the run that a token would continue.

After p-e-w (2024), https://github.com/oobabooga/text-generation-webui/pull/5677.
"""

from collections.abc import Container, Sequence

import numpy as np

from longra.arrays import Float32

LONGEST_RUN = 50
"""Runs count as at most this long, so that the penalty stays a number; it is beyond any logit long before."""


class Dry:
    """Penalises token t by multiplier * base ** (run - allowed), where run is the longest end of the text that occurred
    before and was followed by t, for runs of at least `allowed` tokens. Prompt and text count alike.

    Instead of searching the text at every token, it keeps for each position the length of the run that ends there and
    equals the end of the text; a new token makes every run one longer or breaks it.
    """

    def __init__(
        self, multiplier: float, base: float, allowed: int, breakers: Container[int], prompt: Sequence[int]
    ) -> None:
        self._multiplier, self._base, self._allowed = multiplier, base, allowed
        self._breakers = breakers
        self._size = max(0, len(prompt) - max(LONGEST_RUN, allowed))  # the tokens that no run reaches back to
        self._tokens = np.zeros(len(prompt) + 1024, np.int64)
        self._tokens[: self._size] = prompt[: self._size]
        self._runs = np.zeros(len(self._tokens), np.int32)  # of each position but the last
        for token in prompt[self._size :]:
            self.add(token)

    def add(self, token: int) -> None:
        """The text has grown by a token. O(length), a few microseconds for ten thousand tokens."""
        if self._size == len(self._tokens):
            self._tokens = np.concatenate([self._tokens, np.zeros_like(self._tokens)])
            self._runs = np.concatenate([self._runs, np.zeros_like(self._runs)])
        n = self._size
        if token in self._breakers:
            self._runs[:n] = 0
        elif n:
            longer = self._runs[: n - 1] + 1
            self._runs[1:n] = np.where(self._tokens[1:n] == token, longer, 0)
            self._runs[0] = self._tokens[0] == token
        self._tokens[n] = token
        self._size = n + 1

    def apply(self, logits: Float32) -> None:
        """Take the penalties from a row of logits [vocabulary]."""
        if not self._size:
            return
        positions = np.flatnonzero(self._runs[: self._size - 1] >= self._allowed)
        longest: dict[int, int] = {}
        for follower, run in zip(self._tokens[positions + 1].tolist(), self._runs[positions].tolist(), strict=True):
            if follower not in self._breakers:
                longest[follower] = max(run, longest.get(follower, 0))
        for token, run in longest.items():
            logits[token] -= self._multiplier * self._base ** (min(run, LONGEST_RUN) - self._allowed)
