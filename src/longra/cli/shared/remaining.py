"""How much of a measurement is left: one line on stderr, on a terminal only."""

import sys
import time
from types import TracebackType

from longra.cli.shared import console


class Remaining:
    """A line that is rewritten in place. It draws between steps, in the caller's thread: a drawing thread of its own would
    take time from what is measured.

    Args:
        total: all the work, in any unit.
    """

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._start = self._drawn = time.monotonic()
        self._terminal = console.is_terminal()

    def __enter__(self) -> "Remaining":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.clear()

    def advance(self, work: int) -> None:
        """So much more is done."""
        self._done += work
        now = time.monotonic()
        if self._terminal and now - self._drawn >= 0.5:
            self._drawn = now
            left = (now - self._start) * (self._total - self._done) / self._done
            sys.stderr.write(f"\r{self._done / self._total:4.0%}, about {duration(left)} left\x1b[K")
            sys.stderr.flush()

    def reach(self, done: int, total: int) -> None:
        """So much of so much is done."""
        self._total = total
        self.advance(done - self._done)

    def skip(self, work: int) -> None:
        """So much need not be done, after all."""
        self._total -= work

    def clear(self) -> None:
        """Remove the line, so that something else can be written."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def duration(seconds: float) -> str:
    """A time as people say it."""
    return f"{seconds:.0f} s" if seconds < 99.5 else f"{seconds / 60:.0f} min"
