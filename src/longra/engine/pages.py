"""Numbers of KV pages: which are free, how many sequences share each, and which are kept for what they hold."""

from collections.abc import Callable
from functools import cached_property

from longra.backends.base import PAGE_TOKENS, Backend
from longra.errors import LongraError
from longra.memory import room_for_caches


def pages_for(tokens: int) -> int:
    """Pages that hold so many tokens."""
    return -(-tokens // PAGE_TOKENS)


class PagePool:
    """Hands out page numbers. Room for half of the memory that there is is set aside; a page takes memory when written.

    Attributes:
        slid: pages that hold no longer what layers with a window would see of them.
        reclaim: asked when none is free: drops a kept page that no sequence holds, or returns False (see PrefixCache). A
            weak reference, which gives None where there is no such function any more.
    """

    def __init__(self, backend: Backend, limit: int | None = None) -> None:
        self.backend = backend
        if limit is not None:
            self.limit = limit
        self.reclaim: Callable[[], Callable[[], bool] | None] = lambda: None
        self._reserved = False
        self._free: list[int] = []
        self._holders: dict[int, int] = {}  # page -> sequences, where there are any
        self._kept: set[int] = set()
        self.slid: set[int] = set()

    @cached_property
    def limit(self) -> int:
        """Pages that there are: counted when first asked, since models that share a process share its memory."""
        return max(1, room_for_caches() // self.backend.page_bytes)

    @property
    def used(self) -> int:
        """Pages that sequences hold."""
        return len(self._holders)

    @property
    def available(self) -> int:
        """Pages that can be taken: those that nobody holds, kept or not."""
        return self.limit - self.used

    def reserve(self) -> None:
        """Make all pages usable; they take memory when they are written.

        Raises:
            LongraError: there is not that much memory.
        """
        if not self._reserved:
            self.backend.reserve(self.limit)
            self._reserved = True
            self._free = list(range(self.limit - 1, -1, -1))

    def take(self) -> int:
        """A page that nobody holds.

        Raises:
            LongraError: all pages are held, or there is not that much memory.
        """
        self.reserve()
        if not self._free and not ((reclaim := self.reclaim()) and reclaim()):
            gigabytes = self.limit * self.backend.page_bytes / 1e9
            raise LongraError(f"the cache is full: {gigabytes:.1f} GB hold no further token; use a shorter context")
        page = self._free.pop()
        self.slid.discard(page)
        self._holders[page] = 1
        return page

    def share(self, page: int) -> None:
        """One more sequence holds a page."""
        self._holders[page] = self._holders.get(page, 0) + 1

    def is_shared(self, page: int) -> bool:
        """Whether a page is not one sequence's alone, so that none may write to it."""
        return self._holders[page] + (page in self._kept) > 1

    def is_held_once(self, page: int) -> bool:
        """Whether one sequence alone holds a page, kept or not."""
        return self._holders[page] == 1

    def slide(self, page: int) -> None:
        """Give back what a page holds of layers with a window."""
        if page not in self.slid:
            self.backend.slide_page(page)
            self.slid.add(page)

    def release(self, page: int) -> None:
        """One sequence fewer holds a page."""
        self._holders[page] -= 1
        if self._holders[page] == 0:
            del self._holders[page]
            if page not in self._kept:
                self._free.append(page)

    def keep(self, page: int) -> None:
        """Keep a page as it is, beyond the sequences that hold it."""
        self._kept.add(page)

    def drop(self, page: int) -> bool:
        """Keep a page no longer; whether it is free now."""
        self._kept.remove(page)
        if page in self._holders:
            return False
        self._free.append(page)
        return True
