"""Speed of a loaded model, beside the rates at which this machine reads and multiplies, all measured in one run."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Protocol

import numpy as np

from longra.backends.base import PAGE_TOKENS, Arithmetic, Backend, Chunk
from longra.errors import UsageError
from longra.memory import peak_memory

if TYPE_CHECKING:
    from longra.files.spec import ModelSpec

DECODED = 32
"""Steps that are timed after a context."""
RUN_TOKENS = 512
"""Prompt tokens that are read in one pass over the weights."""
_LONG = 2048
_ROUNDS = 5


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
        context: prefill: tokens read, from an empty cache; decode: tokens in each cache before the first step.
        streams: texts that were decoded together, one token of each in a step.
        tokens_per_second: of all streams; median of several rounds (decode: of single steps).
        tokens_per_second_per_stream: the same, of each.
        seconds_to_first_token: prefill: from the prompt's ids to the likeliest next id; decode: None.
        bytes_per_second: weights once a step (prefill: once for each 512 rows), and the cache that a step sees.
        share_of_bandwidth: of the best rate at which as many bytes could be read in this run.
        operations_per_second: multiplications and additions of products and attention.
        share_of_matrix_peak: of the rate measured in this run on random operands.
        peak_memory_bytes: the most that the process has held so far.
    """

    kind: str
    context: int
    streams: int
    tokens_per_second: float
    tokens_per_second_per_stream: float
    seconds_to_first_token: float | None
    bytes_per_second: float
    share_of_bandwidth: float
    operations_per_second: float
    share_of_matrix_peak: float
    peak_memory_bytes: int


class Bench:
    """Measures one backend. What one measurement has read into the cache, the next does not read again.

    Args:
        backend: a loaded model's.
        ceilings: the same backend, if it knows its ceilings.
        spec: the model's description.
        page: gives numbers of pages that are free to write.

    Attributes:
        advance: called with the work that is done since the last call, as `run.work` counts it.
    """

    def __init__(self, backend: Backend, ceilings: Ceilings, spec: "ModelSpec", page: Callable[[], int]) -> None:
        self.backend = backend
        self.ceilings = ceilings
        self.spec = spec
        self.advance: Callable[[int], None] = lambda _: None
        self._page = page
        self._pages: list[list[int]] = []  # of each stream
        self._filled = 0  # tokens that the first stream's pages hold
        self.read_rate = ceilings.read_rate(max(64 << 20, ceilings.product_bytes))
        self.multiply_rate = ceilings.multiply_rate()
        self._tokens = np.random.default_rng(0).integers(0, backend.vocabulary, 1 << 16).astype(np.int32)

    def prefill(self, tokens: int) -> Speed:
        """Reading a prompt of `tokens` random tokens."""
        self._check(tokens, tokens)
        self._grow(1, tokens)
        self._read(0, min(tokens, _LONG), counted=False)  # first touch of buffers and pages
        seconds = median(self._timed(lambda: self._read(0, tokens)) for _ in range(rounds(tokens)))
        self._filled = max(self._filled, tokens)
        pairs = sum(_pairs(tokens, window) for window in self.spec.windows)
        passes = -(-tokens // RUN_TOKENS)
        moved = passes * self.ceilings.product_bytes + pairs / RUN_TOKENS * self._layer_bytes()
        work = 2.0 * self._body_weights() * tokens + self._attention(pairs)
        return self._speed("prefill", tokens, 1, tokens, seconds, moved, work)

    def decode(self, context: int, streams: int = 1) -> Speed:
        """Single steps of `streams` texts together, each after `context` tokens."""
        self._check(context, context + DECODED)
        if streams < 1:
            raise UsageError(f"{streams} streams cannot be measured; choose 1 or more")
        self._grow(streams, context + DECODED)
        if self._filled < context:
            self._read(self._filled, context)
            self._filled = context
        self._copy(streams, context)
        seconds = median(self._timed(lambda at=context + i: self._decode(at, streams)) for i in range(DECODED))  # type: ignore[misc]
        work = 2.0 * self.ceilings.product_weights + self._attention(self._seen(context))
        return self._speed("decode", context, streams, streams, seconds, self.moved(context, streams), streams * work)

    def moved(self, context: int, streams: int = 1) -> float:
        """Bytes that a decoding step must read: weights once, and the cache that each stream sees."""
        return self.ceilings.product_bytes + streams * self._seen(context) * self._layer_bytes()

    def limit(self, context: int, streams: int = 1) -> float:
        """Tokens a second of all streams, if memory were read at the best rate and nothing else took time."""
        return streams * self.read_rate / self.moved(context, streams)

    def _speed(
        self, kind: str, context: int, streams: int, tokens: int, seconds: float, moved: float, work: float
    ) -> Speed:
        return Speed(
            kind,
            context,
            streams,
            tokens / seconds,
            tokens / seconds / streams,
            seconds if kind == "prefill" else None,
            moved / seconds,
            moved / seconds / self.read_rate,
            work / seconds,
            work / seconds / self.multiply_rate,
            peak_memory(),
        )

    def _grow(self, streams: int, tokens: int) -> None:
        """Pages of each stream for so many tokens."""
        self._pages += [[] for _ in range(streams - len(self._pages))]
        for pages in self._pages[:streams]:
            while len(pages) * PAGE_TOKENS < tokens:
                pages.append(self._page())

    def _copy(self, streams: int, tokens: int) -> None:
        """Give every stream the first one's text, in pages of its own."""
        for pages in self._pages[1:streams]:
            for source, target in zip(self._pages[0][: -(-tokens // PAGE_TOKENS)], pages, strict=False):
                self.backend.copy_page(source, target)

    def _read(self, start: int, end: int, counted: bool = True) -> None:
        """Prompt tokens into the first stream's pages; the likeliest next one is chosen, as greedy decoding would."""
        for at in range(start, end, RUN_TOKENS):
            count = min(RUN_TOKENS, end - at)
            self._step("prefill", [self._chunk(0, at, count, logits=int(at + count == end))])
            if counted:
                self.advance(count)

    def _decode(self, at: int, streams: int) -> None:
        self._step("decode", [self._chunk(stream, at, 1, logits=1) for stream in range(streams)])
        self.advance(step_work(streams))

    def _chunk(self, stream: int, start: int, count: int, logits: int) -> Chunk:
        tokens = self._tokens.take(range(start, start + count), mode="wrap")
        return Chunk(tokens, start, np.array(self._pages[stream], np.int32), logits)

    def _step(self, arithmetic: Arithmetic, chunks: list[Chunk]) -> None:
        logits = self.backend.step(chunks, arithmetic)
        if len(logits):
            logits.argmax(axis=1)

    @staticmethod
    def _timed(call: Callable[[], None]) -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    def _check(self, context: int, tokens: int) -> None:
        if context < 1:
            raise UsageError(f"a context of {context} tokens cannot be measured; choose 1 or more")
        if tokens > self.spec.context:
            raise UsageError(
                f"{tokens:,} tokens do not fit into the model's context of {self.spec.context:,}; "
                f"choose at most {self.spec.context - (tokens - context):,}"
            )

    def _layer_bytes(self) -> float:
        """Bytes of one token's keys and values in one layer."""
        return self.backend.page_bytes / PAGE_TOKENS / self.spec.layers

    def _seen(self, context: int) -> float:
        """Positions that the middle one of the timed steps attends to, summed over layers."""
        position = context + DECODED / 2
        return sum(position if window is None else min(position, window) for window in self.spec.windows)

    def _body_weights(self) -> float:
        """Weights that each prompt token meets: all but the output matrix, of which only the last row is wanted."""
        return self.ceilings.product_weights - self.backend.vocabulary * self.spec.hidden

    def _attention(self, pairs: float) -> float:
        """Two products of head_dim for each pair of query and key, in all heads."""
        return 4.0 * pairs * self.spec.heads * self.spec.head_dim


def rounds(tokens: int) -> int:
    """How often a prompt of a length is read."""
    return _ROUNDS if tokens <= _LONG else 1


def step_work(streams: int) -> int:
    """What a decoding step takes, in prompt tokens that could be read meanwhile: roughly, for the time left."""
    return 16 + streams


def _pairs(tokens: int, window: int | None) -> float:
    """Pairs of a query and a key that it sees, in a text of so many tokens."""
    reach = tokens if window is None else min(tokens, window)
    return reach * (reach + 1) / 2 + (tokens - reach) * reach
