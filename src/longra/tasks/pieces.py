"""A text that a task writes, to be read piece by piece."""

from abc import ABC, abstractmethod
from collections.abc import Generator

from longra.generation.result import Result


class Pieces(ABC):
    """An iterator over the pieces of a text, as a Stream is, for a task that makes its text of streams.

    A subclass sets `_pieces`, the generator that writes.
    """

    _pieces: Generator[str]

    def __iter__(self) -> "Pieces":
        return self

    def __next__(self) -> str:
        return next(self._pieces)

    def wait(self) -> Result:
        """Until the text ends; the result."""
        for _ in self:
            pass
        return self.result

    @abstractmethod
    def close(self) -> None:
        """End the text now; `result` has what there is."""

    @property
    @abstractmethod
    def result(self) -> Result:
        """What has been written so far."""
