"""Telling the user how an install goes: a bar on a terminal, one line a step elsewhere, all on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from longra.sizes import human_bytes


class Bar(Protocol):
    """The part of a transfer that is done, in bytes."""

    def update(self, done: int) -> None:
        """done bytes of the transfer are on disk."""

    def expect(self, total: int) -> None:
        """The transfer's size has become known."""


class Reporter:
    """Says what an install does. With show_steps off only what a user must know is said, and there is no bar."""

    def __init__(self, show_steps: bool = True) -> None:
        self.show_steps = show_steps

    def note(self, text: str) -> None:
        """Something that the user must know: a source failed, another process is installing."""
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def step(self, text: str) -> None:
        """The next step of long work."""
        if self.show_steps:
            self.note(text)

    @contextmanager
    def transfer(self, label: str, total: int | None, origin: str, verb: str = "downloading") -> Iterator[Bar]:
        """A transfer of total bytes (None: not known) from origin: a bar on a terminal, a line elsewhere."""
        if not self.show_steps:
            yield _NoBar()
        elif not sys.stderr.isatty():
            size = f" ({human_bytes(total)})" if total is not None else ""
            self.note(f"{verb} {label}{size} from {origin}")
            yield _NoBar()
        else:
            with _terminal_bar(label, total) as bar:
                yield bar


class _NoBar:
    def update(self, done: int) -> None:
        pass

    def expect(self, total: int) -> None:
        pass


class _RichBar:
    def __init__(self, progress: Any, task: Any) -> None:
        self._progress, self._task = progress, task

    def update(self, done: int) -> None:
        self._progress.update(self._task, completed=done)

    def expect(self, total: int) -> None:
        self._progress.update(self._task, total=total)


@contextmanager
def _terminal_bar(label: str, total: int | None) -> Iterator[Bar]:
    from rich.console import Console  # late: most commands draw no bar
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        yield _RichBar(progress, progress.add_task(label, total=total))
