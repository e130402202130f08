"""Formats of documents: each cuts a text into passages that are translated, and what stays."""

from dataclasses import replace
from pathlib import Path

from longra.errors import UsageError
from longra.tasks.translation.document import Document, Wanted
from longra.tasks.translation.formats import markdown, plain, po, srt

READERS = {"txt": plain.read, "md": markdown.read, "srt": srt.read, "po": po.read, "lines": plain.read_lines}
"""Format -> what reads it; `lines` gives one line for each line."""

_SUFFIXES = {"": "txt", ".txt": "txt", ".text": "txt", ".md": "md", ".markdown": "md", ".srt": "srt", ".po": "po"}
_SUFFIXES[".pot"] = "po"


def format_of(path: Path) -> str:
    """The format of a file, by its suffix.

    Raises:
        UsageError: the suffix says none; the message says what to type.
    """
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise UsageError(f"{path} ends in {suffix}; say how to read it: --format txt, md, srt or po")
    return _SUFFIXES[suffix]


def read_document(text: str, form: str, wanted: Wanted) -> Document:
    """The passages of a text.

    Args:
        form: a key of READERS.
        wanted: whether there is something to translate in a sentence.
    """
    plain = text.removeprefix("\ufeff")  # a first line may be told by its first character
    return replace(READERS[form](plain, wanted), mark=text[: len(text) - len(plain)])
