"""Lines of a file, and the JSON objects that they hold, with errors that name the line."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from longra.errors import LongraError

_WITH_FIELD = re.compile(r"(?P<path>.+\.(?:jsonl|ndjson)):(?P<field>.+)", re.DOTALL)


def split_field(source: str) -> tuple[str, str | None]:
    """A path and the field named behind it: `out.jsonl:text`; None where none is, or the whole is a file's name."""
    named = None if Path(source).exists() else _WITH_FIELD.fullmatch(source)
    return (named["path"], named["field"]) if named else (source, None)


def lines_of(path: str) -> list[tuple[int, str]]:
    """Lines with their numbers; only a line feed ends one, as sacrebleu reads files. A byte order mark is none of them.

    Args:
        path: `-` is standard input.

    Raises:
        LongraError: it cannot be read or is not UTF-8.
    """
    name = "standard input" if path == "-" else path
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        lines = data.decode("utf-8-sig").split("\n")
    except OSError as error:
        raise LongraError(f"cannot read {name}: {error.strerror}; check the path") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LongraError(
            f"{name} is not UTF-8 (byte 0x{error.object[error.start]:02x}, line {line:,}); convert it: iconv -t utf-8"
        ) from None
    if not lines[-1]:
        del lines[-1]
    return list(enumerate(lines, 1))


def object_of(path: str, number: int, line: str) -> dict[str, Any]:
    """The object on a line.

    Raises:
        LongraError: it is not JSON, or not an object, or a text in it is not one that a file can hold.
    """
    try:
        found = json.loads(line)
        if "\\u" in line:
            json.dumps(found, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise LongraError(f"{path}, line {number:,} is not JSON: {error.msg} at column {error.colno:,}") from None
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise LongraError(f"{path}, line {number:,} has half a character ({half!a}); mend the file") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; thousands of brackets
        raise LongraError(f"{path}, line {number:,} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise LongraError(f"{path}, line {number:,} is {kind_of(found)}, not an object with fields")
    return found


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    if isinstance(value, list):
        return "an empty list" if not value else "a list"
    names: dict[type, str] = {dict: "an object", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
