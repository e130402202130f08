"""Reads what is measured: one segment a line, or one field of each object of a JSON lines file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from longra.errors import LongraError, UsageError
from longra.evaluate.json_lines import kind_of, lines_of, object_of, split_field
from longra.sizes import counted


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
            raise LongraError(f"{source}, line {line:,}: the field is {kind_of(value)}, not a text")
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
                    f"{source}, line {line:,}: the field is {kind_of(value)}, not a text or a list of texts"
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
            f"{source} has {counted(number, 'segment')} and {other} have {expected:,}; "
            "line by line each must belong to the same text: look for lost or added lines"
        )


def _values(source: str) -> list[tuple[int, Any]]:
    """Each segment's value, with its line."""
    path, field = split_field(source)
    lines = lines_of(path)
    if field is not None:
        values = [(number, _field(path, number, line, field)) for number, line in lines if line.strip()]
    elif Path(path).suffix in (".jsonl", ".ndjson"):
        raise UsageError(
            f"{path} has fields; say which one is the text, for example {path}:{_first_field(path, lines)}"
        )
    else:
        values = [(number, line.rstrip()) for number, line in lines]
    if not values:
        raise LongraError(f"{source} is empty; it must have one segment a line")
    return values


def _field(path: str, number: int, line: str, field: str) -> Any:
    found = object_of(path, number, line)
    if field not in found:
        raise LongraError(f"{path}, line {number:,} has no field {field!r}; it has {', '.join(found) or 'none'}")
    return found[field]


def _first_field(path: str, lines: list[tuple[int, str]]) -> str:
    """A field with text, for the hint."""
    for number, line in lines:
        if line.strip():
            found = object_of(path, number, line)
            return next((name for name, value in found.items() if isinstance(value, str)), "text")
    return "text"
