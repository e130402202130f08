"""Files that a user asks for are written whole or not at all."""

import os
import tempfile
from pathlib import Path

from longra.errors import LongraError, UsageError


def check_folders(*paths: Path | None) -> None:
    """Say now, rather than after long work, that a file could not be written.

    Raises:
        UsageError: the folder of one of the paths is not there.
    """
    for path in paths:
        if path is not None and not path.resolve().parent.is_dir():
            raise UsageError(f"cannot write {path}: there is no folder {path.parent}; make it first")


def save_text(path: Path, text: str) -> None:
    """Write a text (UTF-8): a file whole or not at all, a pipe or a device as it is.

    Raises:
        LongraError: it cannot be written; what was there is as it was.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8", newline="")
        else:
            write_whole(path, text)
    except OSError as error:
        raise LongraError(f"cannot write {path}: {error.strerror}; the old text is as it was") from None


def write_whole(path: Path, text: str) -> None:
    """Write a text (UTF-8) so that a reader, a full disk or a kill finds the old file or the new one, never a part.

    Raises:
        OSError: the folder is missing or cannot be written, or the disk is full; the old file is as it was.
    """
    path = path.resolve()  # a link stays a link
    descriptor, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
