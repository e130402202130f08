"""What every source of models offers to the install."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from longra.errors import SourceError
from longra.library.manifest import StoredFile
from longra.library.progress import Reporter


@dataclass(frozen=True)
class Pin:
    """What the catalogue knows beforehand of a source's one file: its name, bytes and SHA-256; None if it does not."""

    file: str | None = None
    bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Delivery:
    """What a source has put into a staging folder: its files, what is to be loaded ("." for the folder), and more."""

    files: tuple[StoredFile, ...]
    entry: str
    revision: str | None = None
    licence: str | None = None


class Source(Protocol):
    """A place that models come from."""

    @property
    def text(self) -> str:
        """The source in the form that parse() takes, the same for the same source however it was typed."""

    @property
    def name(self) -> str:
        """The name that a model from here gets if nobody gives it one."""

    def deliver(self, staging: Path, pin: Pin, reporter: Reporter) -> Delivery:
        """Put the model's files into the staging folder, going on where an earlier call stopped.

        Raises SourceError if they cannot be had, StoreError if they cannot be stored."""


def entry_of(files: Sequence[StoredFile]) -> str:
    """What to load of a model's files: the (first) GGUF file, else the folder."""
    return next((file.path for file in sorted(files, key=lambda f: f.path) if file.path.endswith(".gguf")), ".")


def require_gguf(path: Path, origin: str) -> None:
    """Raise SourceError unless a file starts as GGUF files do."""
    with path.open("rb") as file:
        start = file.read(16)
    if not start.startswith(b"GGUF"):
        raise SourceError(
            f"{origin} is not a GGUF file: it starts with {start!r}; name a GGUF file, or a folder with config.json"
        )
