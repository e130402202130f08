"""A backend whose logits are a hash of the tokens that it finds in its own pages: any wrong page, position, fork, copy
or arithmetic gives another text."""

import hashlib
from collections.abc import Callable

import numpy as np

from longra.arrays import Float32, UInt8
from longra.backends.base import PAGE_TOKENS, Arithmetic, Chunk

VOCABULARY = 97

HABIT = 8.0
"""Makes a text repeat itself now and then, so that drafts of it can be right."""


def logits_after(entries: list[tuple[int, str]]) -> Float32:
    """Logits [VOCABULARY] after tokens, each with the arithmetic that brought it into the cache."""
    digest = hashlib.blake2b(repr(entries).encode(), digest_size=8).digest()
    logits = np.random.default_rng(int.from_bytes(digest, "little")).normal(0, 2, VOCABULARY).astype(np.float32)
    logits[(entries[-1][0] * 5 + 3) % 11] += HABIT
    return logits


class ToyBackend:
    """Pages are lists of (token, arithmetic).

    Attributes:
        window: of layers that have one; no row may then see a page that slid, and none that slid may be read.
        whole: pages that have not slid since they were last written from their beginning.
        during: called in the middle of the next step.
    """

    vocabulary = VOCABULARY
    page_bytes = 4 * PAGE_TOKENS
    threads = 1
    identity = "toy"

    def __init__(self, window: int | None = None) -> None:
        self.window = window
        self.whole: set[int] = set()
        self.pages: list[list[tuple[int, str] | None]] = []
        self.steps: list[tuple[Arithmetic, list[int]]] = []
        self.copies = 0
        self.fail_at: int | None = None
        self.during: Callable[[], None] | None = None

    def reserve(self, pages: int) -> None:
        self.pages += [[None] * PAGE_TOKENS for _ in range(len(self.pages), pages)]

    def copy_page(self, source: int, target: int) -> None:
        self.copies += 1
        self.pages[target] = list(self.pages[source])
        assert source in self.whole
        self.whole.add(target)

    def slide_page(self, page: int) -> None:
        self.whole.remove(page)

    def read_page(self, page: int) -> UInt8:
        assert page in self.whole
        codes = [-1 if entry is None else 2 * entry[0] + (entry[1] == "decode") for entry in self.pages[page]]
        return np.array(codes, np.int32).view(np.uint8)

    def write_page(self, page: int, data: UInt8) -> None:
        codes = data.view(np.int32).tolist()
        self.whole.add(page)
        self.pages[page] = [None if code < 0 else (code // 2, ("prefill", "decode")[code % 2]) for code in codes]

    def step(self, chunks: list[Chunk], arithmetic: Arithmetic) -> Float32:
        self.steps.append((arithmetic, [len(chunk.tokens) for chunk in chunks]))
        if self.fail_at is not None and len(self.steps) > self.fail_at:
            raise RuntimeError("the toy broke")
        if self.during is not None:
            self.during()
            self.during = None
        rows: list[Float32] = []
        for chunk in chunks:
            assert len(chunk.tokens) >= 1
            assert 0 <= chunk.logits <= len(chunk.tokens)
            for position, token in enumerate(chunk.tokens.tolist(), chunk.start):
                page, slot = int(chunk.pages[position // PAGE_TOKENS]), position % PAGE_TOKENS
                self.pages[page][slot] = (token, arithmetic)
                if slot == 0:
                    self.whole.add(page)
                first = 0 if self.window is None else max(0, position - self.window + 1)
                seen = chunk.pages[first // PAGE_TOKENS : position // PAGE_TOKENS + 1].tolist()
                assert self.whole.issuperset(seen), "a window reaches a page that slid"
        for chunk in chunks:  # after all are written: a page that two share would show
            end = chunk.start + len(chunk.tokens)
            rows += [logits_after(self._past(chunk, at)) for at in range(end - chunk.logits + 1, end + 1)]
        return np.stack(rows) if rows else np.empty((0, VOCABULARY), np.float32)

    def _past(self, chunk: Chunk, count: int) -> list[tuple[int, str]]:
        found = [self.pages[int(chunk.pages[at // PAGE_TOKENS])][at % PAGE_TOKENS] for at in range(count)]
        past = [entry for entry in found if entry is not None]
        assert len(past) == count, "a position in the past was never written"
        return past
