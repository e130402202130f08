"""One text in the making: its tokens, and the pages that hold their keys and values."""

from collections.abc import Sequence as Items

import numpy as np

from longra.backends.base import PAGE_TOKENS, Chunk
from longra.engine.pages import PagePool


class Sequence:
    """Tokens whose keys and values are, or will be, in pages.

    Attributes:
        tokens: prompt and text.
        cached: how many of them are in the cache.
        pages: page numbers in order.
        extended: the sequence uses stretched rope frequencies (Rope.extended).
    """

    def __init__(self, pool: PagePool, tokens: Items[int], extended: bool = False) -> None:
        self.pool = pool
        self.tokens = list(tokens)
        self.cached = 0
        self.pages: list[int] = []
        self.extended = extended

    def chunk(self, most: int, logits: int) -> Chunk:
        """The next tokens that are not in the cache, at most `most`; `logits` rows are wanted of the last chunk."""
        end = min(len(self.tokens), self.cached + most)
        self._make_room(end)
        wanted = max(0, min(end - self.cached, logits - (len(self.tokens) - end)))
        tokens = np.array(self.tokens[self.cached : end], np.int32)
        return Chunk(tokens, self.cached, np.array(self.pages, np.int32), wanted, self.extended)

    def advance(self, count: int) -> None:
        """`count` more tokens are in the cache."""
        self.cached += count

    def fork(self) -> "Sequence":
        """A second sequence with the same past: whole pages are shared, a page in the making is copied when written."""
        other = Sequence(self.pool, self.tokens, self.extended)
        other.cached = self.cached
        other.pages = list(self.pages)
        for page in self.pages:
            self.pool.share(page)
        return other

    def release(self) -> None:
        """Give all pages back."""
        for page in self.pages:
            self.pool.release(page)
        self.pages = []
        self.cached = 0

    def _make_room(self, end: int) -> None:
        """Pages for positions [cached, end), none of them shared."""
        first = self.cached // PAGE_TOKENS
        if first < len(self.pages) and self.pool.is_shared(self.pages[first]):
            own = self.pool.take()
            self.pool.backend.copy_page(self.pages[first], own)
            self.pool.release(self.pages[first])
            self.pages[first] = own
        while len(self.pages) * PAGE_TOKENS < end:
            self.pages.append(self.pool.take())
