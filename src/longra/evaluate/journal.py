"""What a long measurement has found so far, one JSON object a line, so that an interrupted one goes on."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from longra.errors import LongraError, UsageError
from longra.evaluate.json_lines import lines_of, object_of


class Journal:
    """A file of rows, each of which says in its field "run" what it depends on. Use it in a `with` statement.

    Args:
        path: the file; None keeps nothing.
        run: what this measurement's rows depend on: model, prompt, settings.

    Attributes:
        rows: those that were there already.

    Raises:
        UsageError: the file holds rows of another run; the message says in what they differ.
        LongraError: it cannot be read or written, or is no file of rows.
    """

    def __init__(self, path: Path | None, run: Mapping[str, Any]) -> None:
        self._run: dict[str, Any] = json.loads(json.dumps(run))  # as it will be read back
        self._file: IO[str] | None = None
        self.rows: list[dict[str, Any]] = []
        if path is None:
            return
        try:
            if path.exists():
                _drop_torn_line(path)
                self.rows = [self._checked(path, number, line) for number, line in lines_of(str(path))]
            self._file = path.open("a", encoding="utf-8", newline="\n")
        except OSError as error:
            raise LongraError(f"cannot write {path}: {error.strerror}; give another --output") from None

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row, so that it outlives the end of this process."""
        if self._file is not None:
            self._file.write(json.dumps({**row, "run": self._run}, ensure_ascii=False) + "\n")
            self._file.flush()

    def _checked(self, path: Path, number: int, line: str) -> dict[str, Any]:
        row = object_of(str(path), number, line)
        before = row.pop("run", None)
        if not isinstance(before, dict):
            raise LongraError(f"{path}, line {number:,} is not of such a run; give another --output")
        for name, value in self._run.items():
            if before.get(name) != value:
                raise UsageError(
                    f"{path} holds another run, whose {name} is {before.get(name)!r} and not {value!r}; "
                    "give another --output, or the same options"
                )
        return row


def way_on(output: Path | None) -> str:
    """What a user whose run was cut off can do, for the end of a message."""
    return "nothing is kept; give --output FILE.jsonl" if output is None else "the same command goes on from there"


def _drop_torn_line(path: Path) -> None:
    """Cut off what was being written when the machine or the process died: a line without its end."""
    with path.open("rb+") as file:
        data = file.read()
        if data and not data.endswith(b"\n"):
            file.truncate(data.rfind(b"\n") + 1)
            os.fsync(file.fileno())
