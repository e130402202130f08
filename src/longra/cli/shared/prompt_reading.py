"""How much of a long prompt is still to be read: one line on stderr, on a terminal only, before the first piece of text."""

import sys
import threading
import time
from typing import TYPE_CHECKING

from longra.cli.shared import console
from longra.cli.shared.remaining import duration

if TYPE_CHECKING:
    from longra.generation.stream import Stream

_EVERY = 0.5
"""Seconds; shorter waits show nothing."""


class PromptReading:
    """The line. A thread rewrites it, since the caller waits for the stream's first piece.

    Args:
        stream: what reads the prompt.
    """

    def __init__(self, stream: "Stream") -> None:
        self._stream = stream
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True) if console.is_terminal() else None
        if self._thread is not None:
            self._thread.start()

    def end(self) -> None:
        """Remove the line, so that something else can be written. More than once does nothing."""
        if self._thread is not None:
            self._over.set()
            self._thread.join()
            self._thread = None

    def _draw(self) -> None:
        start, before = time.monotonic(), self._stream.read_tokens[0]
        drawn = False
        while not self._over.wait(_EVERY):
            read, total = self._stream.read_tokens
            left = ""
            if before < read < total:
                left = f", about {duration((time.monotonic() - start) * (total - read) / (read - before))} left"
            if read < total:
                sys.stderr.write(f"\rread {read:,} of {total:,} tokens{left}\x1b[K")
                sys.stderr.flush()
                drawn = True
        if drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
