"""What is typed or piped into `longra chat`, as messages."""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

from longra.cli.shared import console

MARK = '"""'
"""Stands before and after a message of several lines."""

_FIRST, _NEXT = ">>> ", "... "


class Input:
    """Standard input, from a terminal or a pipe.

    Attributes:
        at_terminal: whether somebody types.
        damaged: whether a line had to be left out, because it is not UTF-8.
    """

    def __init__(self) -> None:
        self.at_terminal = sys.stdin is not None and console.is_terminal(sys.stdin)
        self.damaged = False
        self._number = 0

    def messages(self) -> Iterator[str]:
        """Each line is one, and so is all between two MARKs, of which the first begins a line and the other ends one.

        A message that was marked is never a command: where it begins with / it comes with two.
        """
        read = self._reader()
        while (line := read(_FIRST)) is not None:
            if not line.startswith(MARK):
                yield line
                continue
            text = line.removeprefix(MARK)
            while not text.endswith(MARK) and (more := read(_NEXT)) is not None:
                text += f"\n{more}"
            text = text.removesuffix(MARK).strip("\n")
            yield f"/{text}" if text.startswith("/") else text

    def _reader(self) -> Callable[[str], str | None]:
        """What gives the next line without its end, or None when there are no more; it takes a prompt to show."""
        if sys.stdin is None:
            return lambda _: None
        if not self.at_terminal:
            return self._piped
        if not console.is_terminal(sys.stdout):  # the answers go to a file: the prompt must not
            return _typed_unseen
        with suppress(ImportError):
            import readline  # input() uses it when it is there

            readline.parse_and_bind("set enable-bracketed-paste on")  # what is pasted is one message
        return _typed

    def _piped(self, _: str) -> str | None:
        while data := sys.stdin.buffer.readline():
            self._number += 1
            try:
                return data.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                self.damaged = True
                console.error(f"line {self._number} is not UTF-8 and was left out; convert the input to UTF-8")
        return None


def _typed(prompt: str) -> str | None:
    """A line typed with editing and a history, where the system has readline."""
    try:
        return input(prompt)
    except EOFError:
        console.note("")
        return None


def _typed_unseen(prompt: str) -> str | None:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.rstrip("\n") if line else None
