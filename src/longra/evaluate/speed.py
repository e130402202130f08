"""Speed of a loaded model, beside the rates at which this machine reads and multiplies, all measured in one run."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Protocol

import numpy as np

from longra.backends.base import PAGE_TOKENS, Backend, Chunk
from longra.errors import UsageError

_DECODED = 32
_ROUNDS = 5
_LONG = 2048


class Ceilings(Protocol):
    """A backend that knows what it reads and what the machine could do (NativeBackend)."""

    product_bytes: int
    product_weights: int

    def read_rate(self, size: int) -> float:
        """Bytes a second, over `size` bytes."""

    def multiply_rate(self) -> float:
        """Operations a second on the widest unit, random operands."""


@dataclass(frozen=True)
class Speed:
    """One measurement.

    Attributes:
        kind: "prefill" or "decode".
        context: prefill: tokens read, from an empty cache; decode: tokens in the cache before the first step.
        tokens_per_second: median of several rounds (decode: of single steps).
        bytes_per_second: prefill: weights for each run of 512 rows, cache once a run; decode: weights and cache a token.
        share_of_bandwidth: of the best rate at which as many bytes could be read in this run.
        operations_per_second: multiplications and additions of products and attention.
        share_of_matrix_peak: of the rate measured in this run on random operands.
    """

    kind: str
    context: int
    tokens_per_second: float
    bytes_per_second: float
    share_of_bandwidth: float
    operations_per_second: float
    share_of_matrix_peak: float


@dataclass(frozen=True)
class Shape:
    """What attention costs: see `attention_operations`."""

    layers: int
    heads: int
    head_dim: int


class Bench:
    """Measures one backend.

    Args:
        backend: a loaded model's.
        ceilings: the same backend, if it knows its ceilings.
        shape: of its attention.
        page: gives numbers of pages that are free to write.
    """

    def __init__(self, backend: Backend, ceilings: Ceilings, shape: Shape, page: Callable[[], int]) -> None:
        self.backend = backend
        self.ceilings = ceilings
        self.shape = shape
        self._page = page
        self._pages: list[int] = []
        self.read_rate = ceilings.read_rate(max(64 << 20, ceilings.product_bytes))
        self.multiply_rate = ceilings.multiply_rate()
        self._tokens = np.random.default_rng(0).integers(0, backend.vocabulary, 1 << 16).astype(np.int32)

    def prefill(self, tokens: int) -> Speed:
        """Reading a prompt of `tokens` random tokens."""
        self._check(tokens)
        self._read(0, min(tokens, _LONG))  # first touch of buffers and pages
        seconds = [self._timed(lambda: self._read(0, tokens)) for _ in range(_ROUNDS if tokens <= _LONG else 1)]
        runs = -(-tokens // 512)
        moved = runs * self.ceilings.product_bytes + runs * tokens / 2 * self._token_bytes()
        pairs = tokens * (tokens + 1) / 2
        work = 2.0 * self._body_weights() * tokens + self._attention(pairs)
        return self._speed("prefill", tokens, tokens, median(seconds), moved, work)

    def decode(self, context: int) -> Speed:
        """Single steps after `context` tokens."""
        self._check(context + _DECODED)
        self._read(0, context)
        seconds = []
        for i in range(_DECODED):
            seconds.append(self._timed(lambda at=context + i: self._read(at, 1, "decode")))  # type: ignore[misc]
        moved = self.ceilings.product_bytes + (context + _DECODED / 2) * self._token_bytes()
        work = 2.0 * self.ceilings.product_weights + self._attention(context + _DECODED / 2)
        return self._speed("decode", context, 1, median(seconds), moved, work)

    def _speed(self, kind: str, context: int, tokens: int, seconds: float, moved: float, work: float) -> Speed:
        return Speed(
            kind,
            context,
            tokens / seconds,
            moved / seconds,
            moved / seconds / self.read_rate,
            work / seconds,
            work / seconds / self.multiply_rate,
        )

    def _read(self, start: int, count: int, arithmetic: str = "prefill") -> None:
        while len(self._pages) * PAGE_TOKENS < start + count:
            self._pages.append(self._page())
        tokens = np.resize(self._tokens, count)
        chunk = Chunk(tokens, start, np.array(self._pages, np.int32), 1)
        self.backend.step([chunk], "decode" if arithmetic == "decode" else "prefill")

    @staticmethod
    def _timed(call: Callable[[], None]) -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    @staticmethod
    def _check(tokens: int) -> None:
        if tokens < 1:
            raise UsageError(f"a context of {tokens} tokens cannot be measured; choose 1 or more")

    def _token_bytes(self) -> float:
        return self.backend.page_bytes / PAGE_TOKENS

    def _body_weights(self) -> float:
        """Weights that each prompt token meets: all but the output matrix, of which only the last row is wanted."""
        return self.ceilings.product_weights - self.backend.vocabulary * self._hidden()

    def _hidden(self) -> int:
        return self.shape.heads * self.shape.head_dim

    def _attention(self, pairs: float) -> float:
        """Two products of head_dim for each pair of query and key, in all heads and layers."""
        return 4.0 * pairs * self.shape.layers * self.shape.heads * self.shape.head_dim
