"""The page files of a model on disk: found by the key of the page before them, written whole or not at all.

CACHE/IDENTITY/PARENT-KEY.page, all three in hexadecimal. Identity stands for everything that a page's bits depend on
besides its text, so that no model, kernel or setting ever sees another's pages.
"""

import os
import re
import shutil
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from longra.engine.page_file import Head, read_head, read_page, write_page

DEFAULT_LIMIT = 4 * 10**9
"""Bytes that the page files of all models may take unless said; less where the disk is small."""

_FREE_SHARE = 4  # a quarter of what would be free without us, at most
_ROUNDS = 16  # how often a limit is counted anew while it is filled: others write too
_STALE = 60 * 10**9  # nanoseconds; a page is written in far less
_GROUP = re.compile(r"[0-9a-f]{32}")
_PAGE = re.compile(r"([0-9a-f]{32})-([0-9a-f]{32})\.page")
_UNFINISHED = re.compile(r"tmp\w+\.part")


@dataclass(frozen=True)
class PageFile:
    """One file of the cache: path, bytes, and when it was last used (nanoseconds since 1970)."""

    path: Path
    size: int
    used: int


class PageFolder:
    """Page files of one identity. Thread-safe; several processes may share a folder.

    Args:
        home: the cache's folder, made when the first page is written.
        identity: what a page's bits depend on besides its text, 16 bytes.
        page_bytes: size of a page.
        limit: bytes for all files below `home`; None for DEFAULT_LIMIT, or a quarter of the disk's free space if less.
    """

    def __init__(self, home: Path, identity: bytes, page_bytes: int, limit: int | None = None) -> None:
        self.folder = home / identity.hex()
        self.page_bytes = page_bytes
        self._home = home
        self._limit = limit
        self._room = 0
        self._lock = threading.Lock()
        self._known: defaultdict[bytes, set[bytes]] | None = None

    def after(self, parent: bytes) -> list[Head]:
        """Heads of the stored pages that follow the page of this key."""
        with self._lock:
            keys = sorted(self._index().get(parent, ()))
        heads = (self._head(parent, key) for key in keys)
        return [head for head in heads if head is not None]

    def read(self, head: Head) -> bytes | None:
        """A stored page; None if it is gone or damaged, and then it is deleted."""
        try:
            with self._path(head.parent, head.key).open("rb") as file:
                page = read_page(file, head.key, self.page_bytes)
        except OSError:
            page = None
        if page is None:
            self.remove(head)
        return page

    def write(self, head: Head, page: bytes, used: int) -> bool:
        """Store a page, deleting the files that were used longest ago where room is needed.

        Args:
            used: when, in nanoseconds since 1970.

        Returns:
            whether it is stored: a limit may be too small for a single page.

        Raises:
            OSError: the disk is full, or the folder cannot be written.
        """
        size = head.size + len(page)
        if size > self._room:
            self._room = make_room(self._home, self._limit, size)
        if size > self._room:
            return False
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, scratch = tempfile.mkstemp(suffix=".part", dir=self.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                write_page(file, head, page)
            os.utime(scratch, ns=(used, used))
            Path(scratch).replace(self._path(head.parent, head.key))
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise
        self._room -= size
        with self._lock:
            self._index()[head.parent].add(head.key)
        return True

    def touch(self, head: Head, used: int) -> bool:
        """A page is in use, at a time in nanoseconds since 1970; whether it is still stored."""
        try:
            os.utime(self._path(head.parent, head.key), ns=(used, used))
        except OSError:
            return False
        return True

    def remove(self, head: Head) -> None:
        """Delete a page's file, if it is there."""
        with self._lock:
            self._index()[head.parent].discard(head.key)
        with suppress(OSError):
            self._path(head.parent, head.key).unlink()

    def _head(self, parent: bytes, key: bytes) -> Head | None:
        """What a file says of its page; None if it is gone or not what its name says, and then it is deleted."""
        try:
            with self._path(parent, key).open("rb") as file:
                head = read_head(file)
        except OSError:
            return None
        if head is not None and head.key == key and head.parent == parent and head.page_bytes == self.page_bytes:
            return head
        with suppress(OSError):
            self._path(parent, key).unlink()
        return None

    def _path(self, parent: bytes, key: bytes) -> Path:
        return self.folder / f"{parent.hex()}-{key.hex()}.page"

    def _index(self) -> defaultdict[bytes, set[bytes]]:
        """Parent -> keys, read from the files' names when first asked for; the caller holds the lock."""
        if self._known is None:
            self._known = defaultdict(set)
            for entry in _entries(self.folder):
                if match := _PAGE.fullmatch(entry.name):
                    self._known[bytes.fromhex(match[1])].add(bytes.fromhex(match[2]))
        return self._known


def page_files(home: Path) -> list[PageFile]:
    """All page files below a cache's folder, and what a kill has left of some that were being written."""
    found = []
    for entry in (entry for folder in _groups(home) for entry in _entries(folder)):
        ours = _PAGE.fullmatch(entry.name) or _UNFINISHED.fullmatch(entry.name)
        if ours and entry.is_file(follow_symlinks=False):
            with suppress(OSError):  # another process has just deleted it
                stat = entry.stat(follow_symlinks=False)
                found.append(PageFile(Path(entry.path), stat.st_size, stat.st_mtime_ns))
    return found


def make_room(home: Path, limit: int | None, needed: int) -> int:
    """Delete what a kill has left, and the files used longest ago where fewer than `needed` bytes are left of the limit.

    Returns:
        bytes that may be written before this is to be asked again.
    """
    files = sorted(page_files(home), key=lambda file: file.used, reverse=True)
    stale = time.time_ns() - _STALE
    for file in [file for file in files if file.path.suffix == ".part" and file.used < stale]:
        files.remove(file)
        file.path.unlink(missing_ok=True)
    total = sum(file.size for file in files)
    limit = default_limit(home, total) if limit is None else limit
    if needed > limit:
        return 0
    share = max(needed, limit // _ROUNDS)
    while files and total + share > limit:
        file = files.pop()
        file.path.unlink(missing_ok=True)
        total -= file.size
    return min(share, limit - total)


def default_limit(home: Path, total: int) -> int:
    """Bytes that a cache may take where nobody has said so, of which `total` are taken."""
    there = next(path for path in (home, *home.parents) if path.exists())
    return min(DEFAULT_LIMIT, (shutil.disk_usage(there).free + total) // _FREE_SHARE)


def clear(home: Path) -> int:
    """Delete all page files below a cache's folder, and the folders that are then empty; bytes freed."""
    files = page_files(home)
    for file in files:
        file.path.unlink(missing_ok=True)
    for folder in (*_groups(home), home):
        with suppress(OSError):  # it is not there, or holds what is not ours
            folder.rmdir()
    return sum(file.size for file in files)


def _groups(home: Path) -> list[Path]:
    """The folders of identities."""
    found = (entry for entry in _entries(home) if _GROUP.fullmatch(entry.name))
    return [Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False)]


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """What is in a folder; nothing if it is not there or cannot be read."""
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return
