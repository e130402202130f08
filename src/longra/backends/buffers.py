"""Which buffer of a plan holds which value of a graph."""

from collections import Counter

from longra._native import Plan
from longra.graph import Node, in_order

LOGITS = -1
"""The caller's array, which the model's output goes to."""


class Buffers:
    """Lends a plan's buffers to values; a buffer is used again once the last reader of its value has been emitted.

    Attributes:
        readers: for each node that the output needs, in order, the nodes that read it, one entry a reading.
        left: readings of each node that have not been emitted yet.
        of: the buffer of each value that is held now.
    """

    def __init__(self, plan: Plan, output: Node) -> None:
        self._plan = plan
        self.readers: dict[Node, list[Node]] = {node: [] for node in in_order(output)}
        for node in self.readers:
            for value in vars(node).values():
                if isinstance(value, Node):
                    self.readers[value].append(node)
        self.left = Counter({node: len(readers) for node, readers in self.readers.items()})
        self.of: dict[Node, int] = {}
        self._free: dict[tuple[int, bool], list[int]] = {}
        self._shapes: dict[int, tuple[int, bool]] = {}

    def has_one_reader(self, node: Node) -> bool:
        """Whether the value is read once."""
        return len(self.readers[node]) == 1

    def take(self, width: int, logits_rows: bool = False) -> int:
        """A buffer [rows, width], or of the rows alone whose logits are wanted."""
        shape = (width, logits_rows)
        if shelf := self._free.get(shape):
            return shelf.pop()
        buffer = self._plan.buffer(width, logits_rows)
        self._shapes[buffer] = shape
        return buffer

    def give_back(self, buffer: int) -> None:
        """What the buffer holds is not needed any more."""
        self._free.setdefault(self._shapes[buffer], []).append(buffer)

    def read(self, node: Node, times: int = 1) -> None:
        """So many readings of a value have been emitted."""
        self.left[node] -= times
        if self.left[node] == 0 and node in self.of:
            self.give_back(self.of.pop(node))
