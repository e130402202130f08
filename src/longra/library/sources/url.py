"""A GGUF file at a web address: https, or http where nobody can listen in or the hash is given."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from longra.errors import UsageError
from longra.library.download import RemoteFile, fetch_files
from longra.library.http import host_of
from longra.library.names import slug
from longra.library.progress import Reporter
from longra.library.sources.base import Delivery, Pin, require_gguf

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class UrlSource:
    """One file at an address; "#sha256=HEX" at the end pins its content."""

    url: str
    sha256: str | None = None

    @property
    def text(self) -> str:
        return self.url + (f"#sha256={self.sha256}" if self.sha256 else "")

    @property
    def file(self) -> str:
        """The file's name: the last part of the address's path."""
        name = re.sub(r"[^\w.+-]", "-", unquote(urlsplit(self.url).path).rsplit("/", 1)[-1]).lstrip(".-")
        return name if name.endswith(".gguf") else (name or "model") + ".gguf"

    @property
    def name(self) -> str:
        return slug(self.file)

    def deliver(self, staging: Path, pin: Pin, reporter: Reporter) -> Delivery:
        sha256 = self.sha256 or pin.sha256
        remote = RemoteFile(pin.file or self.file, self.url, pin.bytes, sha256)
        stored = fetch_files([remote], staging, reporter, host_of(self.url))
        require_gguf(staging / remote.path, self.url)
        return Delivery(stored, remote.path)


def parse_url(text: str) -> UrlSource:
    """A source from an address; raises UsageError if it is unfit."""
    url, _, fragment = text.partition("#")
    sha256 = fragment.removeprefix("sha256=").lower() if fragment.startswith("sha256=") else None
    if sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise UsageError(f"{text}: a SHA-256 has 64 hexadecimal digits, this one is {sha256!r}")
    host = _host(url)
    if not host:
        raise UsageError(f"{text!r} names no host; write https://HOST/PATH.gguf")
    if url.startswith("http:") and sha256 is None and host not in _LOOPBACK:
        raise UsageError(f"{text} could be changed on the way; use https, or add #sha256=HEX to the address")
    return UrlSource(url, sha256)


def _host(url: str) -> str | None:
    """The host of an address, None if it has none or its port or brackets are malformed."""
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.port != 0 else None
    except ValueError:
        return None
