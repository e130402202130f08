"""Runs the command: in this process, or as a user does, in one of its own with pipes or at a terminal."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from types import TracebackType

import pytest

from longra.cli import main

COMMAND = [sys.executable, "-m", "longra"]
SECONDS = 120.0
"""Patience on a busy machine; a hang is still found."""


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str


def longra(*words: str, stdin: str | bytes = b"", **environment: str) -> Ran:
    """Run `longra WORDS` to its end in this process, where all is imported; a traceback is never right."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    streams = [io.TextIOWrapper(io.BytesIO(given), encoding="utf-8", newline="") for given in (data, b"", b"")]
    with pytest.MonkeyPatch.context() as patch:
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            patch.setattr(sys, name, stream)
        for name, value in environment.items():
            patch.setenv(name, value)
        code = main(list(words))
    out, err = (_written(stream) for stream in streams[1:])
    assert "Traceback" not in err, err
    return Ran(code, out, err)


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def process(*words: str, stdin: str | bytes = b"", **environment: str) -> Ran:
    """Run `longra WORDS` to its end as a user does; a traceback is never right."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [*COMMAND, *words], input=data, capture_output=True, timeout=SECONDS, check=False, env=os.environ | environment
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


class Live:
    """A command that runs while the test looks on; its streams are pipes, or a terminal.

    Use it in a `with` statement, which ends the process if it still runs.

    Args:
        words: after `longra`.
        terminal: all streams are one terminal.
        types: something will be sent; else standard input is at its end.
    """

    def __init__(self, *words: str, terminal: bool = False, types: bool = False) -> None:
        self._seen = b""
        self._terminal = terminal
        if terminal:
            self._read, slave = pty.openpty()
            self._process = subprocess.Popen(
                [*COMMAND, *words], stdin=slave, stdout=slave, stderr=slave, start_new_session=True
            )
            os.close(slave)
            self._write = self._read
        else:
            self._process = subprocess.Popen(
                [*COMMAND, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._read, self._write = self._process.stdout.fileno(), self._process.stdin.fileno()
            if not types:
                self._process.stdin.close()

    def __enter__(self) -> "Live":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._terminal:
            os.close(self._read)
        else:
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                pipe.close()

    @property
    def output(self) -> str:
        """All that came so far."""
        return self._seen.decode(errors="replace").replace("\r\n", "\n")

    def send(self, text: str) -> None:
        """Type a text."""
        os.write(self._write, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """What leaves the process no time for anything."""
        self._process.kill()
        self._process.wait()

    def until(self, pattern: str) -> str:
        """Wait until the output matches a regular expression; the output so far."""
        deadline = time.monotonic() + SECONDS
        while not re.search(pattern, self.output, re.DOTALL):
            left = deadline - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self.output!r}"
            if not select.select([self._read], [], [], left)[0]:
                continue
            if not self._take():
                assert re.search(pattern, self.output, re.DOTALL), f"no {pattern!r} in {self.output!r}"
        return self.output

    def close_input(self) -> None:
        """The end of standard input."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def end(self) -> int:
        """Read the rest and wait; the exit code."""
        while select.select([self._read], [], [], SECONDS)[0] and self._take():
            pass
        return self._process.wait(SECONDS)

    def _take(self) -> bool:
        """Read what is there; False at the end."""
        try:
            data = os.read(self._read, 4096)
        except OSError:  # a terminal whose process has ended
            return False
        self._seen += data
        return bool(data)
