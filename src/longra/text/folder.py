"""Small files beside a model's weights that speak of its text: read if they are there."""

from pathlib import Path
from typing import Any

from longra.errors import FormatError
from longra.files.json_object import read_json

MAX_TEXT_BYTES = 1 << 24


def optional_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file, empty if there is no such file.

    Raises:
        FormatError: the file cannot be read or is no JSON object.
    """
    return read_json(path) if path.exists() else {}


def optional_text(path: Path) -> str | None:
    """The text in a file, None if there is no such file.

    Raises:
        FormatError: the file cannot be read, is too large, or is no UTF-8.
    """
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TEXT_BYTES + 1)
        if len(data) > MAX_TEXT_BYTES:
            raise ValueError(f"it has more than {MAX_TEXT_BYTES:,} bytes")
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise FormatError(f"{path} cannot be read: {error}; install the model again") from error


def token_text(stored: Any) -> str | None:
    """The text of a token in a tokenizer's configuration, where it is a string or an object with "content"."""
    if isinstance(stored, dict):
        stored = stored.get("content")
    return stored if isinstance(stored, str) else None
