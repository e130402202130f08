"""The prefix cache: pages of texts that have ended, or are under way, found again by what they hold."""

import hashlib
import threading
from collections.abc import Callable, Iterable
from weakref import WeakMethod

import numpy as np

from longra.backends.base import PAGE_TOKENS
from longra.engine.page_file import KEY_BYTES, Entries, entries_of
from longra.engine.page_folder import PageFolder
from longra.engine.page_writer import PageWriter
from longra.engine.pages import PagePool
from longra.engine.prefix_tree import Node, longest_match
from longra.engine.sequence import Sequence
from longra.errors import LongraError


class PrefixCache:
    """Pages by their content, in memory and on disk. To be used from one thread.

    A page is what it is by its tokens, by how each was made (prefill or decode arithmetic, which may differ in their last
    bits), and by all pages before it. It stays in memory until room is needed, least recently used out, and on disk as
    PageFolder says.

    Args:
        pool: of the pages; asks this cache for room when it has none.
        folder: the page files; None for memory alone.
        strict: a prompt takes only what prefill has made (and a text what decode has), so that the text is that of a fresh
            run, bit by bit.
        warn: is told, once, why the disk cannot be written.
    """

    def __init__(
        self,
        pool: PagePool,
        folder: PageFolder | None = None,
        strict: bool = True,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.strict = strict
        self._pool = pool
        self._folder = folder
        self._roots = {extended: Node(None, _root_key(extended)) for extended in (False, True)}
        self._recent: dict[Node, None] = {}  # those in memory; what follows a page comes before it
        self._nodes: dict[int, Node] = {}  # the same, by page
        self._lock = threading.Lock()  # over node.page, which the writer's thread reads
        self._writer = None if folder is None else PageWriter(folder, warn)
        pool.reclaim = WeakMethod(self._reclaim)

    def __len__(self) -> int:
        """Pages that are in memory."""
        return len(self._recent)

    def adopt(self, sequence: Sequence) -> None:
        """Let a new sequence begin with the pages of its longest known beginning, all but its last token."""
        end = len(sequence.tokens) - 1
        wanted = entries_of(sequence.tokens, [at >= sequence.prompt for at in range(end)])
        last, count = longest_match(self._roots[sequence.extended], wanted, self.strict, self._children)
        path = last.path()
        self._touch(path)  # before room is needed for those on disk
        for number, node in enumerate(path):
            page = self._load(node)
            if page is None:
                path = path[:number]
                break
            self._pool.share(page)
            sequence.pages.append(page)
        self._touch(path)
        entries = [entry for node in path for entry in node.entries]
        sequence.reused = bytes(entry & 1 for entry in entries[:count])
        sequence.cached = len(sequence.reused)
        if not all(self._make_whole(page) for page in sequence.pages[self._left(sequence) :]):
            sequence.release()
        self.slide(sequence, keep=False)

    def keep(self, sequence: Sequence, whole: bool = False) -> None:
        """Remember the pages of a sequence.

        Args:
            whole: the whole ones alone; the sequence goes on to write to the last.
        """
        node = self._roots[sequence.extended]
        path = []
        entries = entries_of(sequence.tokens, sequence.made)
        for start, page in zip(range(0, len(entries), PAGE_TOKENS), sequence.pages, strict=False):
            part = entries[start : start + PAGE_TOKENS]
            if whole and len(part) < PAGE_TOKENS:
                break
            node = self._place(node, part, page)
            path.append(node)
        self._touch(path)
        if self._writer is not None:
            self._writer.put(path, self._copy)

    def slide(self, sequence: Sequence, keep: bool) -> None:
        """Give back what layers with a window will see no more of a sequence.

        A page that others use too stays whole, and one that is remembered until it is on disk.

        Args:
            keep: remember its whole pages first, where they can be stored.
        """
        end = self._left(sequence)
        if end <= sequence.slid:
            return
        if keep and self._folder is not None:
            self.keep(sequence, whole=True)
        with self._lock:
            while sequence.slid < end and self._may_slide(sequence.pages[sequence.slid]):
                self._pool.slide(sequence.pages[sequence.slid])
                sequence.slid += 1

    def clear(self) -> None:
        """Forget all pages in memory; those on disk stay."""
        while self._recent:
            self._reclaim()

    def flush(self) -> None:
        """Wait until all pages are on disk."""
        if self._writer is not None:
            self._writer.wait()

    def _left(self, sequence: Sequence) -> int:
        """Pages at the beginning of a sequence that no window reaches from its next token on."""
        window = self._pool.backend.window
        return 0 if window is None else max(0, sequence.cached - window + 1) // PAGE_TOKENS

    def _may_slide(self, page: int) -> bool:
        node = self._nodes.get(page)
        return self._pool.is_held_once(page) and (node is None or node.stored)

    def _make_whole(self, page: int) -> bool:
        """Bring back from disk what a page held of layers with a window; whether it is whole now."""
        if page not in self._pool.slid:
            return True
        data = None if self._folder is None else self._folder.read(self._nodes[page].head(self._folder.page_bytes))
        if data is None:
            return False
        self._pool.backend.write_page(page, np.frombuffer(data, np.uint8))
        self._pool.slid.remove(page)
        return True

    def _children(self, node: Node) -> Iterable[Node]:
        if not node.listed and self._folder is not None:
            node.listed = True
            for head in self._folder.after(node.key):
                node.add(head.entries).stored = True
        return node.children.values()

    def _place(self, parent: Node, part: Entries, page: int) -> Node:
        """The node of a page, or of one that is known to begin so; those that hold only its beginning are not needed."""
        for child in list(self._children(parent)):
            same = min(len(child.entries), len(part))
            if child.entries[:same] == part[:same]:
                if len(child.entries) > same:
                    return child
                if len(part) > same:
                    self._delete(child)
        node = parent.add(part)
        if node.page is None:
            self._remember(node, page)
        return node

    def _load(self, node: Node) -> int | None:
        """The number of a page, brought into memory if it is not there; None if it cannot be."""
        if node.page is not None or self._folder is None:
            return node.page
        data = self._folder.read(node.head(self._folder.page_bytes))
        if data is None:  # what follows is computed again, too, and written anew
            self._delete(node)
            return None
        try:
            page = self._pool.take()
        except LongraError:  # sequences hold all the memory
            return None
        try:
            self._pool.backend.write_page(page, np.frombuffer(data, np.uint8))
            self._remember(node, page)
        finally:
            self._pool.release(page)
        return page

    def _remember(self, node: Node, page: int) -> None:
        self._pool.keep(page)
        node.page = page
        self._recent[node] = None
        self._nodes[page] = node

    def _touch(self, path: list[Node]) -> None:
        """The pages of a text are in use. What follows a page is dropped before it: a text without its beginning is of no
        use."""
        for node in reversed(path):
            if node in self._recent:
                del self._recent[node]
                self._recent[node] = None

    def _reclaim(self) -> bool:
        """Drop pages, the one that was used longest ago first, until one is free; False if sequences hold them all."""
        while self._recent:
            node = next(iter(self._recent))
            free = self._drop(node)
            if not node.stored:
                self._forget(node)
            if free:
                return True
        return False

    def _drop(self, node: Node) -> bool:
        """Take a page out of memory; whether it is free now."""
        del self._recent[node]
        with self._lock:
            page, node.page = node.page, None
        assert page is not None
        del self._nodes[page]
        return self._pool.drop(page)

    def _delete(self, node: Node) -> None:
        """Forget a page and what follows, on disk as well."""
        self._forget(node)
        if self._folder is not None:
            for gone in node.below():
                self._folder.remove(gone.head(self._folder.page_bytes))

    def _forget(self, node: Node) -> None:
        """Nothing is known of this page, nor of any that follows it."""
        assert node.parent is not None
        node.parent.children.pop(node.key, None)
        for gone in list(node.below()):
            if gone.page is not None:
                self._drop(gone)

    def _copy(self, node: Node) -> bytes | None:
        """The bytes of a page, for the writer."""
        with self._lock:
            if node.page is None or node.page in self._pool.slid:
                return None
            return self._pool.backend.read_page(node.page).tobytes()


def _root_key(extended: bool) -> bytes:
    """Where the keys of texts with one kind of rope begin; a folder's identity stands for all else."""
    return hashlib.sha256(b"extended" if extended else b"plain").digest()[:KEY_BYTES]
