"""The folder that a program may write in."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from longra.errors import UsageError


@contextmanager
def own_folder(files: Mapping[str, str]) -> Iterator[Path]:
    """A new folder that holds these files (relative path -> text), deleted at the end with all that came into it.

    Raises:
        UsageError: a path leads out of the folder.
    """
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise UsageError(f"{name!r} is not a path inside the sandbox's folder; give a relative one without '..'")
    folder = Path(tempfile.mkdtemp(prefix="longra-sandbox-")).resolve()
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        yield folder
    finally:
        _delete(folder)


def _delete(folder: Path) -> None:
    """Delete the folder, also where its folders are nested deeper than Python can follow or closed to their owner."""
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=False, capture_output=True)
        subprocess.run(["rm", "-rf", folder], check=True, capture_output=True)
