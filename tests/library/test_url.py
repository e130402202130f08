"""GGUF files at web addresses."""

import hashlib
from pathlib import Path

import pytest

from longra.errors import SourceError, UsageError
from longra.library import ensure, resolve
from support.hub import Fault, Hub


def test_file(hub: Hub) -> None:
    path = ensure(f"{hub.url}/files/tiny.gguf")
    assert path.read_bytes() == hub.files["tiny.gguf"]
    assert resolve("tiny") == path
    assert [item.name for item in path.parent.iterdir() if item != path] == ["longra.json"]


def test_redirect(hub: Hub) -> None:
    assert ensure(f"{hub.url}/elsewhere/tiny.gguf").read_bytes() == hub.files["tiny.gguf"]


def test_resumes_only_the_same_version(hub: Hub) -> None:
    hub.faults += [Fault("/files/", cut_after=100_000), Fault("/files/", status=403)]
    with pytest.raises(SourceError):
        ensure(f"{hub.url}/files/tiny.gguf")
    hub.files["tiny.gguf"] = b"GGUF" + bytes(reversed(hub.files["tiny.gguf"]))
    assert ensure(f"{hub.url}/files/tiny.gguf").read_bytes() == hub.files["tiny.gguf"]
    assert "if-range" in hub.asked("/files/")[-1].headers


@pytest.mark.parametrize(("etags", "ranges"), [(True, True), (False, True), (True, False), (False, False)])
def test_cut_with_any_server(hub: Hub, etags: bool, ranges: bool) -> None:
    hub.etags, hub.ranges = etags, ranges
    hub.faults.append(Fault("/files/", cut_after=100_000, times=2))
    assert ensure(f"{hub.url}/files/tiny.gguf").read_bytes() == hub.files["tiny.gguf"]


def test_whole_part_of_an_earlier_run_is_taken(hub: Hub, home: Path) -> None:
    """As after a kill between the last byte and the install."""
    url = f"{hub.url}/files/tiny.gguf"
    hub.faults += [Fault("/files/", cut_after=100_000), Fault("/files/", status=403)]
    with pytest.raises(SourceError):
        ensure(url)
    (part,) = home.glob("staging/*/*.part")
    part.write_bytes(hub.files["tiny.gguf"])
    assert ensure(url).read_bytes() == hub.files["tiny.gguf"]
    assert hub.asked("/files/")[-1].headers["range"] == f"bytes={len(hub.files['tiny.gguf'])}-"


def test_pinned_by_its_address(hub: Hub) -> None:
    digest = hashlib.sha256(hub.files["tiny.gguf"]).hexdigest()
    assert ensure(f"{hub.url}/files/tiny.gguf#sha256={digest}").exists()
    with pytest.raises(SourceError, match=f"expected {'0' * 64}"):
        ensure(f"{hub.url}/files/page.gguf#sha256={'0' * 64}")


def test_a_page_is_no_model(hub: Hub) -> None:
    with pytest.raises(SourceError, match=r"not a GGUF file: it starts with b'<!DOCTYPE"):
        ensure(f"{hub.url}/files/page.gguf")


def test_absent(hub: Hub) -> None:
    with pytest.raises(SourceError, match=r"nothing \(HTTP 404\)"):
        ensure(f"{hub.url}/files/absent.gguf")


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://example.org/x.gguf", "changed on the way; use https"),
        ("https:///x.gguf", "no host"),
        ("https://example.org/x.gguf#sha256=12", "64 hexadecimal digits"),
    ],
)
def test_unfit_addresses(url: str, cause: str) -> None:
    with pytest.raises(UsageError, match=cause):
        ensure(url)


def test_silent_host_is_given_up_on_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that drops every packet, as a firewall does: a listener whose queue is full does not answer either."""
    import socket
    import time

    from longra.library import http

    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(http, "ATTEMPTS", 2)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        start = time.monotonic()
        with pytest.raises(SourceError, match="cannot be reached"):
            ensure(f"http://127.0.0.1:{listener.getsockname()[1]}/x.gguf")
        assert time.monotonic() - start < 5
        for filler in fillers:
            filler.close()
