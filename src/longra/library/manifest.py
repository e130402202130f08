"""What the store records of an installed model: its files with their hashes, its source, what is known of it."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from longra.errors import StoreError

FILE_NAME = "longra.json"
_FORMAT = 1
_BLOCK = 1 << 20


@dataclass(frozen=True)
class StoredFile:
    """A file of a model: path relative to the model's folder with '/', size in bytes, SHA-256 in hexadecimal."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """An installed model. context is in tokens; what is not known is None.

    entry is the path of what is loaded, relative to the folder ("." for the folder itself); reference is the absolute
    path of a model that stays where the user has it, of which the store keeps no copy."""

    name: str
    source: str
    installed: str
    files: tuple[StoredFile, ...]
    entry: str = "."
    revision: str | None = None
    licence: str | None = None
    task: str | None = None
    context: int | None = None
    parameters: int | None = None
    hub: str | None = None
    reference: str | None = None

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(file.bytes for file in self.files)

    def write(self, folder: Path) -> None:
        """Put this manifest into a folder, whole or not at all."""
        write_json(folder / FILE_NAME, {"format": _FORMAT, **asdict(self)})


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a model's folder; raises StoreError if it is missing or damaged."""
    path = folder / FILE_NAME
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        if table["format"] != _FORMAT:
            raise ValueError(f"it has format {table['format']}, this version reads format {_FORMAT}")
        known = {field.name for field in fields(Manifest)} - {"files"}
        plain: dict[str, Any] = {key: value for key, value in table.items() if key in known}
        return Manifest(files=tuple(StoredFile(**file) for file in table["files"]), **plain)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        again = f"`longra remove {folder.name}`, then install it again"
        raise StoreError(f"the record {path} cannot be read ({problem}); type {again}") from problem


def write_json(path: Path, value: Any) -> None:
    """Write a small JSON file so that a reader, or the next start after a power cut, finds it whole or not at all."""
    scratch = path.with_name(path.name + ".tmp")
    with scratch.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sync_folder(path: Path) -> None:
    """Make renames and new files in a folder survive a power cut, where the system can do so."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
