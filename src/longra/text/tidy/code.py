"""Step `code`: take out the fenced code, and format what is Python.

The text becomes the code alone. Of several blocks those in Python are taken, or else those in the language of the
first. A text without a fence is taken as code itself, which is what code models write. Python is parsed; what does not
parse stays as it is, and a note says where it breaks.
"""

import ast
import re
import subprocess
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from longra.text.tidy.change import Edit, Note
from longra.text.tidy.document import Block, Document
from longra.text.tidy.steps import Report

PYTHON = frozenset(("python", "py", "python3", "py3"))
FORMAT_SECONDS = 60

_LOOKS_LIKE_PYTHON = re.compile(r"^\s*(?:def|class|import|from|for|while|if|try|with|return|print)\b.*[:(\w]", re.M)


def find(document: Document, option: str, report: Report) -> Iterator[Edit]:  # noqa: ARG001
    """Edits that leave only the code; for code without a fence, those that format it."""
    text = document.text
    fenced = [block for block in document.blocks if block.fence and block.code.strip()]
    if fenced and _syntax_error(text):  # fences in the strings of a program are part of it
        yield from _take_out(text, _wanted(fenced), report)
    elif _LOOKS_LIKE_PYTHON.search(text):
        after = _formatted(text, 0, report)
        if after != text:
            yield Edit(0, text, after, "formatted")


def _wanted(blocks: list[Block]) -> list[Block]:
    languages = [_language(block) for block in blocks]
    wanted = PYTHON if PYTHON & set(languages) else {languages[0]}
    return [block for block, language in zip(blocks, languages, strict=True) if language in wanted]


def _language(block: Block) -> str:
    words = block.fence.info.strip("{}. ").split() if block.fence else []
    return words[0].strip("{}.,").lower() if words else ""


def _take_out(text: str, blocks: list[Block], report: Report) -> Iterator[Edit]:
    """What is around the wanted blocks goes; they are set apart by a blank line."""
    done = 0
    for block in blocks:
        start, end = block.inner[0].start, block.inner[-1].end
        yield Edit(done, text[done:start], "\n\n" if done else "", "text around the code")
        code = block.code
        if _language(block) in PYTHON or not _language(block):
            line = text.count("\n", 0, start)
            code = _formatted(code, line, report)
        code = code.strip("\n")
        if code != text[start:end]:
            yield Edit(start, text[start:end], code, "formatted")
        done = end
    if text[done:] != "\n":
        yield Edit(done, text[done:], "\n", "text around the code")


def _formatted(code: str, lines_before: int, report: Report) -> str:
    """Python in ruff's form; anything else as it is."""
    error = _syntax_error(code)
    if error:
        if _LOOKS_LIKE_PYTHON.search(code):
            report(Note("code", lines_before + error[0], f"left as it is, for it is not valid Python: {error[1]}"))
        return code
    ruff: Any = import_module("ruff")  # has no type information
    command = [ruff.find_ruff_bin(), "format", "--isolated", "--no-cache", "--stdin-filename", "code.py", "-"]
    try:
        done = subprocess.run(command, input=code.encode(), capture_output=True, timeout=FORMAT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        report(Note("code", lines_before + 1, f"left as it is: ruff took more than {FORMAT_SECONDS} s"))
        return code
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        report(Note("code", lines_before + 1, f"left as it is: ruff says {reason[-1] if reason else done.returncode}"))
        return code
    return done.stdout.decode()


def _syntax_error(code: str) -> tuple[int, str] | None:
    """Line and reason why it is not Python; None if it is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes such as "\d"
            ast.parse(code)
    except SyntaxError as error:
        return error.lineno or 1, f"{error.msg}, line {error.lineno or 1} of the code"
    except (ValueError, RecursionError, MemoryError) as error:
        return 1, str(error) or "nested too deeply"
    return None
