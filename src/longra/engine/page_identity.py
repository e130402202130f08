"""What the bits of a KV page depend on besides its text: the prefix cache on disk must never take one for another."""

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from longra.errors import StoreError
from longra.library.manifest import FILE_NAME, read_manifest
from longra.library.paths import models_folder

if TYPE_CHECKING:
    from longra.backends.base import Backend
    from longra.files.checkpoint import Checkpoint
    from longra.files.spec import ModelSpec

IDENTITY_BYTES = 16
_END = 1 << 16
_PACKAGE = Path(__file__).parents[1]


def cache_identity(checkpoint: "Checkpoint", spec: "ModelSpec", backend: "Backend") -> bytes:
    """A hash, 16 bytes, of the model's files, its description (rope and its scaling too), the backend and its code.

    It takes a few milliseconds: large files are known by the hash that the store has recorded, or by when they were
    last touched and how they begin and end.
    """
    described = checkpoint.folder / "config.json"
    parts = [
        code_identity(),
        backend.identity,
        repr(spec),
        _digest(described.read_bytes()) if described.is_file() else "",
    ]
    parts += [file_identity(file.path) for file in checkpoint.files]
    return hashlib.sha256("\0".join(parts).encode()).digest()[:IDENTITY_BYTES]


def file_identity(path: Path) -> str:
    """What tells a file from any other, and from itself after a change."""
    path = path.absolute()
    stat = path.stat()
    return _recorded(path, stat) or f"{path} {stat.st_ino} {stat.st_size} {_touched(stat)} {_ends(path, stat.st_size)}"


def _recorded(path: Path, stat: os.stat_result) -> str | None:
    """The SHA-256 that the store has recorded of a file of its own, if nobody has touched the file since."""
    models = models_folder()
    if not path.is_relative_to(models):
        return None
    folder = models / path.relative_to(models).parts[0]
    try:
        files = {folder / file.path: file for file in read_manifest(folder).files}
        recorded = (folder / FILE_NAME).stat().st_mtime_ns
    except (StoreError, OSError):
        return None
    file = files.get(path)
    if file is None or file.bytes != stat.st_size or _touched(stat) > recorded:
        return None
    return file.sha256


def _touched(stat: os.stat_result) -> int:
    """When a file was last written to, or given another's place or date: nanoseconds."""
    return max(stat.st_mtime_ns, stat.st_ctime_ns)


def _ends(path: Path, size: int) -> str:
    """A hash of how a file begins and ends."""
    with path.open("rb") as file:
        head = file.read(_END)
        file.seek(max(0, size - _END))
        return _digest(head + file.read(_END))


@cache
def code_identity(root: Path = _PACKAGE, kernels: Path | None = None) -> str:
    """A hash of the code that computes pages: from reading weights, in the package's folder, to the kernels.

    Args:
        root: the package's folder.
        kernels: the native module; None for the one that is loaded, which an editable installation keeps elsewhere.
    """
    from longra import _native

    files = sorted(file for part in ("backends", "files", "graph", "models") for file in root.glob(f"{part}/*.py"))
    files.append(Path(_native.__file__) if kernels is None else kernels)
    return _digest(b"".join(file.name.encode() + file.read_bytes() for file in files))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
