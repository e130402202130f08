"""Getting files into a staging folder: resumed where they stopped, checked, under their own names only when whole."""

import hashlib
import http.client
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from longra.errors import SourceError
from longra.library import store
from longra.library.http import RefusedError, UnreachableError, host_of, open_url, wait_before
from longra.library.manifest import StoredFile, sha256_of, write_json
from longra.library.progress import Bar, Reporter

_BLOCK = 1 << 18  # 256 KiB: at most this much is lost by a kill
_SPARE_BYTES = 16 << 20  # for records, folders and file-system overhead


@dataclass(frozen=True)
class RemoteFile:
    """A file that a source offers. path is its place in the model's folder, with '/'.

    bytes, sha256 and git_sha1 (of the file as a git blob, what the Hub gives for small files) are None where the
    source does not tell."""

    path: str
    url: str
    bytes: int | None = None
    sha256: str | None = None
    git_sha1: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class WrongContentError(SourceError):
    """What came is not what was promised."""


def fetch_files(files: Sequence[RemoteFile], staging: Path, reporter: Reporter, origin: str) -> tuple[StoredFile, ...]:
    """Download files into a staging folder and return them as stored, with their hashes.

    Files of an earlier, cut-off call are kept if they are whole and gone on with if they are not. Raises StoreError
    before the first byte if the disk is too small, SourceError if a file cannot be had or is not what was promised."""
    sizes = [file.bytes for file in files]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    present = sum(_bytes_present(staging / file.path) for file in files)
    if total is not None:
        store.require_space(total - present + _SPARE_BYTES, origin)
    stored: list[StoredFile] = []
    label = files[0].path if len(files) == 1 else f"{len(files)} files"
    with reporter.transfer(label, total, origin) as bar:
        done = 0
        for file in files:
            shifted = _ShiftedBar(bar, done)
            stored.append(_fetch(file, staging / file.path, shifted, reporter))
            done += stored[-1].bytes
            bar.update(done)
    return tuple(stored)


def copy_file(source: Path, staging: Path, path: str) -> StoredFile:
    """Copy a file of this machine to a path in a staging folder."""
    target = staging / path
    target.parent.mkdir(parents=True, exist_ok=True)
    store.require_space(source.stat().st_size + _SPARE_BYTES, path)
    shutil.copyfile(source, part_of(target))
    part_of(target).replace(target)
    return StoredFile(path, target.stat().st_size, sha256_of(target))


class _ShiftedBar:
    """One file's share of the bar of all."""

    def __init__(self, bar: Bar, start: int) -> None:
        self._bar, self._start = bar, start

    def update(self, done: int) -> None:
        self._bar.update(self._start + done)

    def expect(self, total: int) -> None:
        self._bar.expect(self._start + total)


def part_of(target: Path) -> Path:
    """Where the bytes of an unfinished file are; the same for every call, so that the next one goes on."""
    return target.with_name(target.name + ".part")


def _bytes_present(target: Path) -> int:
    return next((path.stat().st_size for path in (target, part_of(target)) if path.exists()), 0)


def _fetch(file: RemoteFile, target: Path, bar: Bar, reporter: Reporter) -> StoredFile:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(target)
    if target.exists():
        if _is_checkable(file) and _what_is_wrong(file, target) is None:
            return StoredFile(file.path, target.stat().st_size, file.sha256 or sha256_of(target))
        target.replace(part)  # of another version, or nothing here tells: the source is asked
    resumed = part.exists() and part.stat().st_size > 0
    _transfer(file, part, bar, reporter.step)
    problem = _what_is_wrong(file, part)
    if problem and resumed:  # the part may stem from another version of the file: once more, from the start
        reporter.step(f"{problem}; starting {file.path} again")
        part.unlink()
        _transfer(file, part, bar, reporter.step)
        problem = _what_is_wrong(file, part)
    if problem:
        part.unlink()
        raise WrongContentError(f"{problem}; the source or something on the way changes the file")
    size, digest = part.stat().st_size, file.sha256 or sha256_of(part)
    part.replace(target)
    return StoredFile(file.path, size, digest.lower())


def _is_checkable(file: RemoteFile) -> bool:
    """Whether the content alone tells this version of the file from another."""
    return file.sha256 is not None or file.git_sha1 is not None


def _what_is_wrong(file: RemoteFile, path: Path) -> str | None:
    size = path.stat().st_size
    if file.bytes is not None and size != file.bytes:
        return f"{file.path} from {host_of(file.url)} has {size} bytes, expected {file.bytes}"
    if file.sha256 is not None and (found := sha256_of(path)) != file.sha256.lower():
        return f"{file.path} from {host_of(file.url)} has SHA-256 {found}, expected {file.sha256.lower()}"
    if file.sha256 is None and file.git_sha1 is not None and (found := git_sha1_of(path)) != file.git_sha1.lower():
        return f"{file.path} from {host_of(file.url)} has git hash {found}, expected {file.git_sha1.lower()}"
    return None


def git_sha1_of(path: Path) -> str:
    """The hash under which git stores a file: SHA-1 of "blob SIZE\\0" and its bytes (gitformat: objects)."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as source:
        while block := source.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _transfer(file: RemoteFile, part: Path, bar: Bar, say: Callable[[str], None]) -> None:
    """Bring part up to the whole file, over as many connections as it takes; only progress resets the patience."""
    attempt, known = 1, 0
    while True:
        have = part.stat().st_size if part.exists() else 0
        if have > known:
            attempt, known = 1, have
        try:
            if _receive(file, part, bar):
                return
            raise UnreachableError(f"{host_of(file.url)} broke off {file.path} after {part.stat().st_size} bytes")
        except (UnreachableError, RefusedError) as problem:
            if part.exists() and part.stat().st_size > have:
                attempt = 1
            wait = wait_before(problem, attempt)
            if wait is None:
                raise
            say(f"{problem}; going on in {wait:.3g} s")
            time.sleep(wait)
            attempt += 1


def _receive(file: RemoteFile, part: Path, bar: Bar) -> bool:
    """One connection's worth of bytes, appended to part; whether the file is whole after it."""
    offset = part.stat().st_size if part.exists() else 0
    if file.bytes is not None and offset >= file.bytes:
        if offset == file.bytes:
            return True
        part.unlink()
        offset = 0
    try:
        response = open_url(file.url, {**file.headers, **_range_headers(file, part, offset)})
    except RefusedError as problem:
        if problem.status != 416 or offset == 0:
            raise
        if problem.total_bytes == offset:
            return True
        part.unlink()  # longer than the file that the server has now
        return False
    with response:
        if response.status == 206 and _start_of(response) != offset:
            raise SourceError(f"{host_of(file.url)} sent another range than was asked for; it cannot be resumed from")
        if response.status != 206:
            offset = 0
        _remember_validator(file, part, response)
        length = response.headers.get("Content-Length")
        expected = offset + int(length) if length is not None else file.bytes
        if file.bytes is None and expected is not None:
            store.require_space(expected - offset + _SPARE_BYTES, file.path)
            bar.expect(expected)
        with part.open("r+b" if part.exists() else "wb") as out:
            out.truncate(offset)
            out.seek(offset)
            written = offset + _copy(response, out.write, lambda count: bar.update(offset + count), file)
            out.flush()
            os.fsync(out.fileno())
    return expected is None or written >= expected


def _copy(
    response: http.client.HTTPResponse, write: Callable[[bytes], int], advance: Callable[[int], None], file: RemoteFile
) -> int:
    """Pass a response's body on and return its length; a connection that breaks just ends it."""
    count = 0
    while True:
        try:
            block = response.read1(_BLOCK)
        except (OSError, http.client.HTTPException):
            return count
        if not block:
            return count
        count += len(block)
        if file.bytes is not None and count > file.bytes:
            raise WrongContentError(f"{host_of(file.url)} sends more than the {file.bytes} bytes that {file.path} has")
        write(block)
        advance(count)


def _start_of(response: http.client.HTTPResponse) -> int | None:
    """First byte of a "Content-Range: bytes START-END/TOTAL" header."""
    value = response.headers.get("Content-Range", "")
    start = value.removeprefix("bytes").strip().split("-")[0]
    return int(start) if start.isdigit() else None


def _validator_of(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _range_headers(file: RemoteFile, part: Path, offset: int) -> dict[str, str]:
    """Ask for the rest only: of the same version, if the hash at the end would not tell (RFC 9110, 13.1.5)."""
    if offset == 0:
        return {}
    headers = {"Range": f"bytes={offset}-"}
    if _is_checkable(file):
        return headers
    try:
        record = json.loads(_validator_of(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # nothing says that the part is of this version: from the start
    return {**headers, "If-Range": record["validator"]} if record.get("url") == file.url else {}


def _remember_validator(file: RemoteFile, part: Path, response: http.client.HTTPResponse) -> None:
    if _is_checkable(file):
        return
    etag = response.headers.get("ETag", "")
    validator = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")
    if validator:
        write_json(_validator_of(part), {"url": file.url, "validator": validator})
    else:
        _validator_of(part).unlink(missing_ok=True)
