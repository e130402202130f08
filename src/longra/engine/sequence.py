"""One text in the making: its tokens, and the pages that hold their keys and values."""

from collections.abc import Sequence as Items

import numpy as np

from longra.backends.base import PAGE_TOKENS, Chunk
from longra.engine.pages import PagePool, pages_for


class Sequence:
    """Tokens whose keys and values are, or will be, in pages.

    Attributes:
        tokens: prompt and text.
        prompt: how many of them are the prompt, which the prefill arithmetic reads; the decode arithmetic has the others.
        cached: how many of them are in the cache.
        reused: for each token that came from the prefix cache how it was made: 0 by prefill, 1 by decode.
        pages: page numbers in order; the last ones may hold nothing yet.
        slid: how many of the first ones have left all windows, and are looked at no more.
        extended: the sequence uses stretched rope frequencies (Rope.extended).
    """

    def __init__(self, pool: PagePool, prompt: Items[int], text: Items[int] = (), extended: bool = False) -> None:
        self.pool = pool
        self.tokens = [*prompt, *text]
        self.prompt = len(prompt)
        self.cached = 0
        self.reused = b""
        self.pages: list[int] = []
        self.slid = 0
        self.extended = extended

    @property
    def unread(self) -> int:
        """Tokens of the prompt that are not in the cache."""
        return max(0, self.prompt - self.cached)

    @property
    def pending(self) -> int:
        """Tokens that are not in the cache; at least one while a text grows."""
        return len(self.tokens) - self.cached

    @property
    def made(self) -> bytes:
        """For each token in the cache how it was made: 0 by prefill, 1 by decode."""
        return self.reused + bytes(at >= self.prompt for at in range(len(self.reused), self.cached))

    def chunk(self, most: int, logits: int, drafts: Items[int] = ()) -> Chunk:
        """The next tokens that are not in the cache, at most `most`, of prompt or text but not of both.

        Args:
            most: tokens at most.
            logits: rows that are wanted of the last tokens of the prompt, or of the text.
            drafts: guessed tokens to run after the text's last one; their rows' logits are wanted too.
        """
        limit = self.prompt if self.unread else len(self.tokens)
        end = min(limit, self.cached + most)
        self.make_room(end + len(drafts))
        wanted = max(0, min(end - self.cached, logits - (limit - end)))
        tokens = np.array([*self.tokens[self.cached : end], *drafts], np.int32)
        return Chunk(tokens, self.cached, np.array(self.pages, np.int32), wanted + len(drafts), self.extended)

    def advance(self, count: int) -> None:
        """`count` more tokens are in the cache."""
        self.cached += count

    def fork(self) -> "Sequence":
        """A second sequence with the same past: whole pages are shared, a page in the making is copied when written."""
        other = Sequence(self.pool, self.tokens[: self.prompt], self.tokens[self.prompt :], self.extended)
        other.cached = self.cached
        other.reused = self.reused
        other.pages = list(self.pages)
        other.slid = self.slid
        for page in self.pages:
            self.pool.share(page)
        return other

    def missing(self, end: int) -> int:
        """Pages to take before positions [cached, end) can be written."""
        return max(0, pages_for(end) - len(self.pages)) + self._shares_next()

    def make_room(self, end: int) -> None:
        """Take pages for positions [cached, end), so that none of them is shared."""
        if self._shares_next():
            first = self.cached // PAGE_TOKENS
            own = self.pool.take()
            self.pool.backend.copy_page(self.pages[first], own)
            self.pool.release(self.pages[first])
            self.pages[first] = own
        while len(self.pages) < pages_for(end):
            self.pages.append(self.pool.take())

    def release(self) -> None:
        """Give all pages back."""
        for page in self.pages:
            self.pool.release(page)
        self.pages = []
        self.slid = 0
        self.cached = 0
        self.reused = b""

    def _shares_next(self) -> bool:
        """Whether the page that the next token goes to is another's too."""
        first = self.cached // PAGE_TOKENS
        return first < len(self.pages) and self.pool.is_shared(self.pages[first])
