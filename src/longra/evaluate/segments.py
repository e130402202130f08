"""Reads what is measured: one segment a line, or one field of each object of a JSON lines file."""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from longra.errors import LongraError, UsageError

_WITH_FIELD = re.compile(r"(?P<path>.+\.(?:jsonl|ndjson)):(?P<field>.+)", re.DOTALL)


def read_segments(source: str) -> list[str]:
    """The segments of a file, in order.

    Args:
        source: `out.txt`: each line is a segment, without the white space at its end, as sacrebleu reads it;
            `out.jsonl:text`: the field `text` of each line's object; `-`: lines of standard input.

    Raises:
        LongraError: it cannot be read, is not UTF-8 or not what it is said to be, or has no segment.
    """
    segments = []
    for line, value in _values(source):
        if not isinstance(value, str):
            raise LongraError(f"{source}, line {line:,}: the field is {_kind(value)}, not a text")
        segments.append(value)
    return segments


def read_references(sources: Sequence[str], segments: int) -> list[list[str]]:
    """The references of each segment: one from each source, or several where a JSON field is a list of texts.

    Args:
        segments: how many there must be.

    Raises:
        LongraError: as for `read_segments`; or a source has another number of segments.
    """
    references: list[list[str]] = [[] for _ in range(segments)]
    for source in sources:
        values = _values(source)
        same_number(source, len(values), "the hypotheses", segments)
        for (line, value), texts in zip(values, references, strict=True):
            found = value if isinstance(value, list) else [value]
            if not found or not all(isinstance(text, str) for text in found):
                raise LongraError(
                    f"{source}, line {line:,}: the field is {_kind(value)}, not a text or a list of texts"
                )
            texts += found
    return references


def same_number(source: str, number: int, other: str, expected: int) -> None:
    """Check that two sides have as many segments.

    Raises:
        LongraError: they have not; both numbers are told.
    """
    if number != expected:
        raise LongraError(
            f"{source} has {_segments(number)} and {other} have {expected:,}; "
            "line by line each must belong to the same text: look for lost or added lines"
        )


def _values(source: str) -> list[tuple[int, Any]]:
    """Each segment's value, with its line."""
    named = None if Path(source).exists() else _WITH_FIELD.fullmatch(source)
    path = named["path"] if named else source
    lines = _lines(path)
    if named:
        values = [(number, _field(path, number, line, named["field"])) for number, line in lines if line.strip()]
    elif Path(path).suffix in (".jsonl", ".ndjson"):
        raise UsageError(
            f"{path} has fields; say which one is the text, for example {path}:{_first_field(path, lines)}"
        )
    else:
        values = [(number, line.rstrip()) for number, line in lines]
    if not values:
        raise LongraError(f"{source} is empty; it must have one segment a line")
    return values


def _lines(path: str) -> list[tuple[int, str]]:
    """Lines with their numbers; only a line feed ends one, as sacrebleu reads files."""
    name = "standard input" if path == "-" else path
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        lines = data.decode().split("\n")
    except OSError as error:
        raise LongraError(f"cannot read {name}: {error.strerror}; check the path") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LongraError(
            f"{name} is not UTF-8 (byte 0x{data[error.start]:02x}, line {line:,}); convert it: iconv -t utf-8"
        ) from None
    if not lines[-1]:
        del lines[-1]
    return list(enumerate(lines, 1))


def _field(path: str, number: int, line: str, field: str) -> Any:
    found = _object(path, number, line)
    if field not in found:
        raise LongraError(f"{path}, line {number:,} has no field {field!r}; it has {', '.join(found) or 'none'}")
    return found[field]


def _object(path: str, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise LongraError(f"{path}, line {number:,} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise LongraError(f"{path}, line {number:,} is {_kind(found)}, not an object with fields")
    return found


def _first_field(path: str, lines: list[tuple[int, str]]) -> str:
    """A field with text, for the hint."""
    for number, line in lines:
        if line.strip():
            found = _object(path, number, line)
            return next((name for name, value in found.items() if isinstance(value, str)), "text")
    return "text"


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "an empty list" if not value else "a list"
    names: dict[type, str] = {dict: "an object", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _segments(number: int) -> str:
    return f"{number:,} segment{'' if number == 1 else 's'}"
