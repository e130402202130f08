"""A file mapped into memory for reading, and how text that comes out of a file is shown in an error."""

import mmap
import stat
from pathlib import Path

import numpy as np

from longra.arrays import UInt8
from longra.errors import FormatError, ModelNotFoundError

AGAIN = "fetch the file again, or check it with `longra verify`"
"""The next step when a file is cut off or corrupt."""


class MappedFile:
    """A regular file, mapped read-only. Nothing is read until it is looked at, and nothing is ever copied.

    The map ends when the last array made from it is gone; `drop` gives its memory back before that.

    Attributes:
        path: the file.
        size: its length in bytes when it was opened.
        data: all of it, uint8 [size], read-only.
    """

    def __init__(self, path: Path) -> None:
        """Map a file.

        Raises:
            ModelNotFoundError: there is no such file.
            FormatError: it is not a regular file, cannot be read, or is empty.
        """
        self.path = path
        try:
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
                raise FormatError(f"{path} is not a regular file; give the model's file or its folder")
            with path.open("rb") as file:
                self.size = file.seek(0, 2)
                if self.size == 0:
                    raise FormatError(f"{path} is empty (0 bytes); {AGAIN}")
                self.map = mmap.mmap(file.fileno(), self.size, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise ModelNotFoundError(f"there is no file {path}; check the path, or see `longra models`") from None
        except (OSError, ValueError) as error:
            raise FormatError(f"{path} cannot be read: {error}; check its permissions and its disk") from error
        if self.map[:24] == b"version https://git-lfs.":
            raise FormatError(f"{path} is a Git LFS pointer of {self.size} bytes and not the file; run `git lfs pull`")
        self.data: UInt8 = np.frombuffer(self.map, np.uint8)

    def drop(self) -> None:
        """Take the file's pages out of this process's memory; views stay valid and read the file anew."""
        if hasattr(self.map, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
            self.map.madvise(mmap.MADV_DONTNEED)


def shown(value: object) -> str:
    """A value from a file for an error message: quoted, shortened, control characters and lone surrogates escaped."""
    if isinstance(value, str | bytes):
        quoted = repr(value[:81])
        return quoted if len(quoted) <= 100 else f"{quoted[:97]}..."
    if value is None or isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= 256):
        return repr(value)
    return f"a value of type {type(value).__name__}"  # a hostile list can print for ever, a hostile integer not at all
