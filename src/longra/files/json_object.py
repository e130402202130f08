"""JSON from files that may be hostile: config.json, indexes of shards, headers of safetensors."""

import json
from pathlib import Path
from typing import Any, NoReturn

from longra.errors import FormatError, ModelNotFoundError
from longra.files.mapped import AGAIN, shown

MAX_FILE_BYTES = 1 << 26
"""Indexes of the largest models take a few MB."""
MAX_DEPTH = 64


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        ModelNotFoundError: there is no such file.
        FormatError: it cannot be read, is too large, or is not a JSON object (see parse_object).
    """
    try:
        if not path.is_file() and path.exists():
            raise FormatError(f"{path} is not a regular file; {AGAIN}")
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise ModelNotFoundError(f"there is no file {path}; check the path, or see `longra models`") from None
    except (OSError, ValueError) as error:
        raise FormatError(f"{path} cannot be read: {error}; check its permissions and its disk") from error
    if len(data) > MAX_FILE_BYTES:
        raise FormatError(f"{path} has more than {MAX_FILE_BYTES:,} bytes, which no such file needs; {AGAIN}")
    return parse_object(data, str(path))


def parse_object(data: bytes, name: str, unique: bool = False) -> dict[str, Any]:
    """A JSON object from UTF-8 bytes.

    Args:
        data: the text.
        name: what it is called in errors.
        unique: a key that is there twice is an error; else the last one counts, as other readers do.

    Raises:
        FormatError: it is not JSON, not an object, has NaN or infinite numbers, is nested more than MAX_DEPTH deep, or
            has strings that are not Unicode.
    """

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(items)
        if unique and len(result) < len(items):
            seen: set[str] = set()
            twice = next(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise ValueError(f"the key {shown(twice)} is there twice")
        return result

    try:
        value = json.loads(
            data.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite, object_pairs_hook=pairs
        )
    except RecursionError:
        raise FormatError(f"{name} is nested more than {MAX_DEPTH} deep; {AGAIN}") from None
    except ValueError as error:
        raise FormatError(f"{name} is not valid JSON: {error}; {AGAIN}") from error
    if not isinstance(value, dict):
        raise FormatError(f"{name} holds {type(value).__name__}, a JSON object is needed; {AGAIN}")
    _check(value, name)
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {shown(text)} is too large")
    return value


def _check(value: Any, name: str) -> None:
    """Refuse depth beyond MAX_DEPTH and lone surrogates, level by level rather than by recursion."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.keys()
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str) and not item.isascii():
                try:
                    item.encode()
                except UnicodeEncodeError:
                    raise FormatError(f"{name} has a string that is not Unicode: {shown(item)}; {AGAIN}") from None
        level = below
        if not level:
            return
    raise FormatError(f"{name} is nested more than {MAX_DEPTH} deep; {AGAIN}")
