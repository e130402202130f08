"""Runs the examples of a page.

A line `<!-- test -->` before a fenced block has it run; `<!-- file NAME -->` has its content written to a file first. A
page's blocks run in order in one folder.

- In a `console` block, a line that starts with `$ ` is a command, and the lines up to the next one are what it prints, on
  standard output and then on standard error. `...` stands for anything. It must succeed, unless it prints `error: `.
- A `python` block runs as doctest does if it has prompts, else as a program; the blocks of a page share their names.
"""

import doctest
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 120

_BLOCK = re.compile(
    r"^<!-- (?P<what>test|file (?P<name>[\w.-]+)) -->\n+(?P<fence>`{3,})(?P<language>\w*)\n(?P<body>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    """A marked block: its first line in the page, the file that it is to become or "", its language and content."""

    line: int
    file: str
    language: str
    body: str


def examples(page: str) -> list[Example]:
    """The marked blocks of a page.

    Raises:
        ValueError: a marker is followed by no fenced block.
    """
    found = [
        Example(page.count("\n", 0, block.start("body")) + 1, block["name"] or "", block["language"], block["body"])
        for block in _BLOCK.finditer(page)
    ]
    markers = len(re.findall(r"^<!-- (?:test|file\b)", page, re.MULTILINE))
    if markers != len(found):
        raise ValueError(f"{markers} markers, but {len(found)} fenced blocks behind one")
    return found


def run_page(page: Path, folder: Path) -> int:
    """Run a page's examples in a folder, which must be the current one; how many ran.

    Raises:
        AssertionError: an example does what the page does not say; the message names the line.
    """
    names: dict[str, Any] = {}
    ran = 0
    for example in examples(page.read_text(encoding="utf-8")):
        where = f"{page.name}, line {example.line}"
        if example.file:
            (folder / example.file).write_text(example.body, encoding="utf-8")
        elif example.language == "console":
            for command, expected in _commands(example.body, where):
                _run_command(command, expected, folder, where)
        elif example.language == "python":
            _run_python(example, names, page, where)
        else:
            raise AssertionError(f"{where}: {example.language!r} is neither console nor python")
        ran += not example.file
    return ran


def _commands(body: str, where: str) -> Iterator[tuple[str, str]]:
    """Each command, and what it is said to print."""
    before, *rest = re.split(r"^\$ ", body, flags=re.MULTILINE)
    assert not before, f"{where}: the block does not start with a command"
    for part in rest:
        command, _, expected = part.partition("\n")
        yield command, expected


def _run_command(command: str, expected: str, folder: Path, where: str) -> None:
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, timeout=SECONDS, check=False
    )
    printed = (done.stdout + done.stderr).decode()
    assert matches(expected, printed), f"{where}: `{command}` prints\n{printed}\nand not\n{expected}"
    failed = done.returncode != 0
    assert failed == ("error: " in expected), f"{where}: `{command}` ends with {done.returncode}"


def matches(expected: str, printed: str) -> bool:
    """Whether a command printed what the page says; white space at the end of the whole does not count."""
    pattern = ".*".join(map(re.escape, expected.rstrip().split("...")))
    return re.fullmatch(pattern, printed.rstrip(), re.DOTALL) is not None


def _run_python(example: Example, names: dict[str, Any], page: Path, where: str) -> None:
    if ">>> " not in example.body:
        exec(compile("\n" * (example.line - 1) + example.body, str(page), "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(example.body, names, page.name, str(page), example.line - 1)
    report: list[str] = []
    failed, _ = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    assert not failed, f"{where}:\n{''.join(report)}"
