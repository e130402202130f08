"""Finished segments beside the output, so that the same command goes on where it was interrupted.

A line of JSON each, appended when the segment is done and handed to the system at once: a killed process loses nothing,
and what a crash leaves of a last line is not read. Lines are found by a hash of all that their translation depends on, so
what still fits is used after a change of the text or of the settings, and nothing else is.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from longra.errors import LongraError
from longra.library.lock import locked
from longra.tasks.translation.checks import Problem
from longra.tasks.translation.translator import Outcome


@contextmanager
def held(path: Path | None) -> Iterator[None]:
    """Keep other processes from a journal, and so from the output beside it. A journal that stays empty goes.

    Raises:
        LongraError: another process has it, or it cannot be written.
    """
    if path is None:
        yield
        return
    try:
        with locked(path, lambda: _refuse(path)):
            yield
    finally:
        if path.exists() and path.stat().st_size == 0:
            path.unlink()


def _refuse(path: Path) -> NoReturn:
    raise LongraError(f"another translation is using {path}; wait for its end, or give another --output")


class Journal:
    """Outcomes by key. Many threads may use it at once.

    Args:
        path: the file, made with the first outcome; None keeps outcomes in memory alone.

    Raises:
        LongraError: the file cannot be read.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file: int | None = None
        self._outcomes = {} if path is None else _read(path)

    def __len__(self) -> int:
        return len(self._outcomes)

    def get(self, key: str) -> Outcome | None:
        """The outcome of this key, if it is known."""
        return self._outcomes.get(key)

    def put(self, key: str, outcome: Outcome) -> None:
        """Remember an outcome.

        Raises:
            LongraError: the file cannot be written.
        """
        with self._lock:
            self._outcomes[key] = outcome
            if self.path is not None:
                self._append(self.path, json.dumps({"key": key, **_as_json(outcome)}, ensure_ascii=False))

    def close(self) -> None:
        """The file stays."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def remove(self) -> None:
        """The work is done: the file goes."""
        self.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _append(self, path: Path, line: str) -> None:
        try:
            if self._file is None:
                self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
                os.write(self._file, b"\n")  # ends what a crash may have left
            os.write(self._file, f"{line}\n".encode())
        except OSError as error:
            raise LongraError(f"cannot write {path}: {error.strerror}; what is translated so far is kept") from None


def _read(path: Path) -> dict[str, Outcome]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LongraError(f"cannot read {path}: {error.strerror}; it holds what was translated before") from None
    return dict(filter(None, map(_outcome, lines)))


def _outcome(line: bytes) -> tuple[str, Outcome] | None:
    """The key and the outcome of a line; None where it is not whole."""
    try:
        found: dict[str, Any] = json.loads(line)
        problems = tuple(Problem(kind, message) for kind, message in found["problems"])
        return found["key"], Outcome(found["text"], problems, found["tries"], found["rejected"])
    except (ValueError, TypeError, KeyError):
        return None


def _as_json(outcome: Outcome) -> dict[str, Any]:
    problems = [[problem.kind, problem.message] for problem in outcome.problems]
    return {"text": outcome.text, "problems": problems, "tries": outcome.tries, "rejected": outcome.rejected}
