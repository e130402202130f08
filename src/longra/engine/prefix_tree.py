"""Known texts as a tree of pages: a path from the root is a text, and texts with the same beginning share its nodes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Optional

from longra.backends.base import PAGE_TOKENS
from longra.engine.page_file import Entries, Head, page_key


@dataclass(eq=False, slots=True)
class Node:
    """A page of a text; only a whole one has children.

    Attributes:
        parent: the page before it; None for a root, which stands for no text at all.
        key: see page_key.
        entries: its tokens, and how each was made.
        page: its number in the pool, or None where it is not in memory.
        stored: it is on disk.
        listed: its children on disk are among its children here.
        children: by key.
    """

    parent: Optional["Node"]
    key: bytes
    entries: Entries = ()
    page: int | None = None
    stored: bool = False
    listed: bool = False
    children: dict[bytes, "Node"] = field(default_factory=dict)

    def add(self, entries: Entries) -> "Node":
        """The child with these entries, new if there is none."""
        key = page_key(self.key, entries)
        return self.children.setdefault(key, Node(self, key, entries))

    def head(self, page_bytes: int) -> Head:
        """What its file says of it."""
        assert self.parent is not None
        return Head(self.parent.key, self.entries, page_bytes)

    def path(self) -> list["Node"]:
        """The pages of the text that ends with this one."""
        nodes: list[Node] = []
        node = self
        while node.parent is not None:
            nodes.append(node)
            node = node.parent
        return nodes[::-1]

    def below(self) -> Iterator["Node"]:
        """This node and all that follow from it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(node.children.values())


def longest_match(
    root: Node, wanted: Entries, exact: bool, children: Callable[[Node], Iterable[Node]]
) -> tuple[Node, int]:
    """The longest known beginning of a text.

    Args:
        root: where texts begin.
        wanted: the text's entries.
        exact: how a token was made must be the same too; else, of equally long beginnings, the one of which most was
            made by prefill is taken.
        children: of a node.

    Returns:
        the last node of the path, and how many entries are the same; of the last page that may be a part.
    """
    best, found = (0, 0), root
    waiting = [(root, 0, 0)]
    while waiting:
        node, start, decoded = waiting.pop()
        part = wanted[start : start + PAGE_TOKENS]
        for child in children(node) if part else ():
            same = _common(child.entries, part, exact)
            total = decoded + sum(entry & 1 for entry in child.entries[:same])
            if (start + same, -total) > best:
                best, found = (start + same, -total), child
            if same == PAGE_TOKENS:
                waiting.append((child, start + same, total))
    return found, best[0]


def _common(known: Entries, wanted: Entries, exact: bool) -> int:
    """How many first entries are the same; unless exact, those that differ only in how they were made are."""
    slack = 0 if exact else 1
    count = 0
    for a, b in zip(known, wanted, strict=False):
        if a ^ b > slack:
            break
        count += 1
    return count
