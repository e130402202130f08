"""Numbers of KV pages: which are free, and how many sequences share each."""

import os

from longra.backends.base import Backend
from longra.errors import LongraError


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 8 << 30


class PagePool:
    """Hands out page numbers. Room for half of the machine's memory is set aside; a page takes memory when written."""

    def __init__(self, backend: Backend, limit: int | None = None) -> None:
        self.backend = backend
        self.limit = limit if limit is not None else max(1, _physical_memory() // 2 // backend.page_bytes)
        self._reserved = 0
        self._free: list[int] = []
        self._holders: dict[int, int] = {}

    @property
    def used(self) -> int:
        """Pages that sequences hold."""
        return len(self._holders)

    def take(self) -> int:
        """A page that nobody holds.

        Raises:
            LongraError: all pages are held.
        """
        if not self._free:
            self._grow()
        page = self._free.pop()
        self._holders[page] = 1
        return page

    def share(self, page: int) -> None:
        """One more sequence holds a page."""
        self._holders[page] += 1

    def is_shared(self, page: int) -> bool:
        """Whether several sequences hold a page."""
        return self._holders[page] > 1

    def release(self, page: int) -> None:
        """One sequence fewer holds a page."""
        self._holders[page] -= 1
        if self._holders[page] == 0:
            del self._holders[page]
            self._free.append(page)

    def _grow(self) -> None:
        if self._reserved:
            gigabytes = self.limit * self.backend.page_bytes / 1e9
            raise LongraError(f"the cache is full: {gigabytes:.1f} GB hold no further token; use a shorter context")
        self.backend.reserve(self.limit)
        self._reserved = self.limit
        self._free = list(range(self.limit - 1, -1, -1))
