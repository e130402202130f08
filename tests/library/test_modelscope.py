"""ModelScope's protocol, against a server on this machine."""

import pytest

from longra.errors import SourceError, UsageError
from longra.library import ensure, install_named
from support.hub import Fault, Hub


def test_folder(hub: Hub) -> None:
    path = ensure("ms:org/folder")
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        assert (path / name).read_bytes() == hub.repositories["org/folder"][name]
    assert not (path / "pytorch_model.bin").exists()


def test_revision_and_file(hub: Hub) -> None:
    manifest = install_named("ms:org/quantised@v1.0:tiny.Q4_0.gguf")
    assert (manifest.entry, manifest.revision) == ("tiny.Q4_0.gguf", "v1.0")
    assert all("Revision=v1.0" in one.path for one in hub.asked("/api/v1/models/"))


def test_resumes_after_a_cut(hub: Hub) -> None:
    hub.faults.append(Fault("/cdn/", cut_after=100_000))
    path = ensure("ms:org/quantised:tiny.Q4_0.gguf")
    assert path.read_bytes() == hub.repositories["org/quantised"]["tiny.Q4_0.gguf"]
    assert hub.asked("/cdn/")[1].headers["range"] == "bytes=100000-"


def test_wrong_hash(hub: Hub) -> None:
    hub.faults.append(Fault("/cdn/", body=b"GGUF" + bytes(300_000)))
    with pytest.raises(SourceError, match="SHA-256"):
        ensure("ms:org/quantised:tiny.Q4_0.gguf")


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("org/absent", "no repository org/absent"),
        ("org/folder@v9", "no repository org/folder with revision 'v9'"),
        ("org/quantised:absent.gguf", r"no file 'absent\.gguf'"),
    ],
)
def test_absent(source: str, cause: str) -> None:
    with pytest.raises(SourceError, match=cause):
        ensure(f"ms:{source}")


def test_private_needs_a_token_that_the_cdn_never_sees(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.private.add("org/folder")
    with pytest.raises(SourceError, match="MODELSCOPE_API_TOKEN"):
        ensure("ms:org/folder")
    monkeypatch.setenv("MODELSCOPE_API_TOKEN", hub.token)
    assert ensure("ms:org/folder").is_dir()
    assert not any("cookie" in one.headers or "authorization" in one.headers for one in hub.asked("/cdn/"))


@pytest.mark.parametrize(("status", "times"), [(429, 1), (503, 2)])
def test_trouble_that_passes(hub: Hub, status: int, times: int) -> None:
    hub.faults.append(Fault("/repo/files", status=status, times=times))
    assert ensure("ms:org/folder").is_dir()


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"<html>log in</html>", "not JSON"),
        (b"[]", "refuses"),
        (b'{"Code": 500, "Success": false, "Message": "it sleeps"}', "it sleeps"),
        (b'{"Code": 200, "Success": true, "Data": {"Files": [{"Name": "x"}]}}', "did not answer as ModelScope does"),
        (b'{"Code": 200, "Success": true, "Data": null}', "did not answer as ModelScope does"),
    ],
)
def test_not_modelscope(hub: Hub, body: bytes, cause: str) -> None:
    hub.faults.append(Fault("/repo/files", body=body))
    with pytest.raises(SourceError, match=cause):
        ensure("ms:org/folder")


def test_older_variable_names_the_host_alone(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELSCOPE_ENDPOINT")
    monkeypatch.setenv("MODELSCOPE_DOMAIN", hub.url)
    assert ensure("ms:org/folder").is_dir()


def test_malformed() -> None:
    with pytest.raises(UsageError, match="write ms:ORG/REPO"):
        ensure("ms:folder")
