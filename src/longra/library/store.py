"""The store: the folders of installed models, and what can be done with them without any source."""

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from longra.errors import ModelNotFoundError, StoreError
from longra.library.lock import locked
from longra.library.manifest import Manifest, read_manifest, sha256_of, sync_folder
from longra.library.paths import locks_folder, models_folder, staging_folder, trash_folder
from longra.library.progress import Reporter
from longra.sizes import human_bytes


@dataclass(frozen=True)
class Difference:
    """A file of an installed model that is not what was installed: "missing", "size" or "sha256", and both values."""

    path: str
    kind: str
    expected: str
    found: str


def folder_of(name: str) -> Path:
    """Where the model of this name is, or would be."""
    return models_folder() / name


def lock_of(name: str) -> Path:
    """The file that is locked while the model of this name is put in or taken out."""
    return locks_folder() / f"{name}.lock"


def installed_names() -> list[str]:
    """Names of all installed models, sorted, read from the folders alone."""
    try:
        return sorted(item.name for item in models_folder().iterdir() if item.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError as problem:
        raise StoreError(
            f"the store cannot be read: {models_folder()}: {problem.strerror}; set LONGRA_HOME to a folder of your own"
        ) from problem


def installed() -> tuple[list[Manifest], list[str]]:
    """All installed models, and the names of those whose record cannot be read."""
    good: list[Manifest] = []
    damaged: list[str] = []
    for name in installed_names():
        try:
            good.append(read_manifest(folder_of(name)))
        except StoreError:
            damaged.append(name)
    return good, damaged


def path_of(manifest: Manifest) -> Path:
    """The file or folder to load; raises StoreError if it is gone."""
    if manifest.reference is not None:
        path, remedy = Path(manifest.reference), "put it back, or"
    else:
        path, remedy = folder_of(manifest.name) / manifest.entry, ""
    if not path.exists():
        remedy = f"{remedy} `longra remove {manifest.name}` and install it again".strip()
        raise StoreError(f"{manifest.name} is installed, but {path} is gone; {remedy}")
    return path


def commit(staging: Path, manifest: Manifest) -> None:
    """Make a finished staging folder the installed model, in one rename; the caller holds the model's lock.

    A model of the same name that is there already is replaced. A kill between the two renames leaves the finished
    staging folder, from which the same install goes on."""
    manifest.write(staging)
    sync_folder(staging)
    target = folder_of(manifest.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    discard(target)
    staging.rename(target)
    sync_folder(target.parent)
    empty_trash()


def discard(folder: Path) -> None:
    """Take a folder out of the way in one rename, so that nothing ever sees half of it; no error if there is none."""
    if not folder.exists():
        return
    trash_folder().mkdir(parents=True, exist_ok=True)  # never removed again: another process may be about to use it
    folder.rename(trash_folder() / f"{folder.name}.{uuid.uuid4().hex[:8]}")


def empty_trash() -> None:
    """Delete what was discarded; what another process still holds open waits for the next time."""
    for folder in trash_folder().glob("*"):
        shutil.rmtree(folder, ignore_errors=True)


def remove(name: str, reporter: Reporter) -> int:
    """Remove an installed model, or what an unfinished install left, and return the bytes that were freed.

    A model that was registered by its path stays where it is: only the store's record goes. Raises ModelNotFoundError
    if there is nothing of this name."""
    with locked(lock_of(name), lambda: reporter.note(f"waiting: another process is working on {name}")):
        leftovers = [folder for folder in (folder_of(name), *staging_of(name)) if folder.exists()]
        if not leftovers:
            raise ModelNotFoundError(f"{name} is not installed; `longra models` lists what is")
        freed = sum(_bytes_in(folder) for folder in leftovers)
        for folder in leftovers:
            discard(folder)
        empty_trash()
        return freed


def staging_of(name: str) -> list[Path]:
    """The folders of unfinished installs of a model, one a source; "~" is in no name."""
    return sorted(staging_folder().glob(f"{name}~*"))


def _bytes_in(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def verify(manifest: Manifest) -> list[Difference]:
    """Hash every file of an installed model again and return what differs from the hashes recorded at install."""
    root = folder_of(manifest.name)
    if manifest.reference is not None:
        reference = Path(manifest.reference)
        root = reference if reference.is_dir() else reference.parent
    found: list[Difference] = []
    for file in manifest.files:
        path = root / file.path
        if not path.is_file():
            found.append(Difference(file.path, "missing", f"{file.bytes} bytes", "no file"))
        elif path.stat().st_size != file.bytes:
            found.append(Difference(file.path, "size", f"{file.bytes} bytes", f"{path.stat().st_size} bytes"))
        elif (digest := sha256_of(path)) != file.sha256:
            found.append(Difference(file.path, "sha256", file.sha256, digest))
    return found


def free_bytes(folder: Path) -> int:
    """Bytes that are free for this user on the disk that a folder is on, or would be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def require_space(needed: int, what: str) -> None:
    """Raise StoreError if the store's disk has less free than needed bytes for `what`."""
    free = free_bytes(models_folder())
    if needed > free:
        raise StoreError(
            f"{what} needs {human_bytes(needed)} and the disk of {models_folder()} has {human_bytes(free)} free;"
            " free some space, or set LONGRA_HOME to a folder on a larger disk"
        )


def make_writable(folder: Path) -> None:
    """Make a folder of the store if it is missing; raises StoreError if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as problem:
        raise StoreError(
            f"the store cannot be written: {folder}: {problem.strerror}; set LONGRA_HOME to a folder of your own"
        ) from problem
