"""Which tokens a text holds and how often, kept up to date token by token."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from longra.arrays import Float32


class TokenCounts:
    """Distinct tokens in the order of their first appearance, with counts; adding one costs a constant time."""

    def __init__(self, tokens: Iterable[int] = ()) -> None:
        self._slot: dict[int, int] = {}
        self._ids = np.zeros(64, np.int64)
        self._counts = np.zeros(64, np.float32)
        for token in tokens:
            self.add(token)

    def add(self, token: int) -> None:
        """Count a token once more."""
        slot = self._slot.setdefault(token, len(self._slot))
        if slot == len(self._ids):
            self._ids = np.concatenate([self._ids, np.zeros_like(self._ids)])
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        self._ids[slot] = token
        self._counts[slot] += 1

    @property
    def ids(self) -> npt.NDArray[np.int64]:
        """The distinct tokens, int64 [n]."""
        return self._ids[: len(self._slot)]

    @property
    def counts(self) -> Float32:
        """How often each is there, float32 [n]."""
        return self._counts[: len(self._slot)]
