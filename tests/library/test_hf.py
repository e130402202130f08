"""The Hub's protocol through the real client, against a server on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from longra.errors import ModelNotFoundError, SourceError, UsageError
from longra.library import ensure, install_named, resolve
from longra.library.manifest import sha256_of
from support.hub import COMMIT, Fault, Hub

WANTED = {"config.json", "tokenizer.json", "tokenizer_config.json", "LICENSE", "model.safetensors"}


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"longra.json"}


def test_folder_has_one_copy_of_the_weights(hub: Hub) -> None:
    path = ensure("org/folder")
    assert path.is_dir()
    assert _names(path) == WANTED
    for name in WANTED:
        assert (path / name).read_bytes() == hub.repositories["org/folder"][name]
    assert not hub.asked("onnx")


def test_record_has_commit_licence_and_hashes(hub: Hub) -> None:
    manifest = install_named("hf:org/folder@v1.0")
    assert (manifest.revision, manifest.licence, manifest.hub) == (COMMIT, "apache-2.0", "org/folder")
    folder = resolve("folder")
    assert {file.sha256 for file in manifest.files} == {sha256_of(folder / file.path) for file in manifest.files}
    assert f"/resolve/{COMMIT}/" in hub.asked("/resolve/")[0].path


def test_second_install_asks_nothing(hub: Hub) -> None:
    ensure("org/folder")
    before = len(hub.log)
    assert ensure("org/folder") == ensure("hf:org/folder") == resolve("org/folder")
    assert len(hub.log) == before


def test_bin_where_there_are_no_safetensors(hub: Hub) -> None:
    del hub.repositories["org/folder"]["model.safetensors"]
    del hub.repositories["org/folder"]["consolidated.safetensors"]
    assert _names(ensure("org/folder")) == WANTED - {"model.safetensors"} | {"pytorch_model.bin"}


def test_one_gguf_file(hub: Hub) -> None:
    path = ensure("hf:org/quantised:tiny.Q8_0.gguf")
    assert path.name == "tiny.Q8_0.gguf"
    assert path.read_bytes() == hub.repositories["org/quantised"]["tiny.Q8_0.gguf"]


@pytest.mark.usefixtures("hub")
def test_several_gguf_files_must_be_told_apart() -> None:
    with pytest.raises(SourceError, match=r"2 GGUF files; say which.*org/quantised:tiny"):
        ensure("org/quantised")


def test_resumes_after_a_cut_connection(hub: Hub) -> None:
    hub.faults.append(Fault("/cdn/", cut_after=150_000))
    path = ensure("hf:org/quantised:tiny.Q4_0.gguf")
    assert path.read_bytes() == hub.repositories["org/quantised"]["tiny.Q4_0.gguf"]
    first, second = hub.asked("/cdn/")
    assert "range" not in first.headers
    assert second.headers["range"] == "bytes=150000-"


def test_resumes_in_the_next_call(hub: Hub) -> None:
    hub.faults += [Fault("/cdn/", cut_after=150_000), Fault("/cdn/", status=403, times=9)]
    with pytest.raises(SourceError, match="403"):
        ensure("hf:org/quantised:tiny.Q4_0.gguf")
    with pytest.raises(ModelNotFoundError):
        resolve("tiny.q4_0")
    hub.faults.clear()
    path = ensure("hf:org/quantised:tiny.Q4_0.gguf")
    assert path.read_bytes() == hub.repositories["org/quantised"]["tiny.Q4_0.gguf"]
    assert hub.asked("/cdn/")[-1].headers["range"] == "bytes=150000-"


def test_wrong_hash_is_refused_and_nothing_is_kept(hub: Hub) -> None:
    content = hub.repositories["org/quantised"]["tiny.Q4_0.gguf"]
    hub.faults.append(Fault("/cdn/", body=content[:-1] + b"?"))
    with pytest.raises(SourceError, match=r"SHA-256 .*, expected "):
        ensure("hf:org/quantised:tiny.Q4_0.gguf")
    assert ensure("hf:org/quantised:tiny.Q4_0.gguf").read_bytes() == content


def test_wrong_bytes_in_a_small_file_are_found_by_its_git_hash(hub: Hub) -> None:
    hub.faults.append(Fault("/config.json", body=hub.repositories["org/folder"]["config.json"].swapcase()))
    with pytest.raises(SourceError, match="git hash"):
        ensure("org/folder")


def test_a_part_of_another_version_is_started_again(hub: Hub) -> None:
    hub.faults += [Fault("/cdn/", cut_after=150_000, body=bytes(300_004)), Fault("/cdn/", status=403, times=1)]
    with pytest.raises(SourceError):
        ensure("hf:org/quantised:tiny.Q4_0.gguf")
    path = ensure("hf:org/quantised:tiny.Q4_0.gguf")
    assert path.read_bytes() == hub.repositories["org/quantised"]["tiny.Q4_0.gguf"]


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("source", "cause", "remedy"),
    [
        ("org/absent", "no repository org/absent", "HF_TOKEN"),
        ("org/folder@v9", "no revision 'v9'", "leave it out"),
        ("org/quantised:absent.gguf", "no file 'absent.gguf'", "tiny.Q4_0.gguf"),
        ("org/folder:model.safetensors", "alone is not a model", "leave the file out"),
    ],
)
def test_absent(source: str, cause: str, remedy: str) -> None:
    with pytest.raises(SourceError, match=cause) as caught:
        ensure(f"hf:{source}")
    assert remedy in str(caught.value)


def test_gated_needs_terms_and_token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.gated.add("org/folder")
    with pytest.raises(SourceError, match=r"gated.*HF_TOKEN"):
        ensure("org/folder")
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert ensure("org/folder").is_dir()


def test_private_is_found_with_the_token_and_the_cdn_never_sees_it(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.private.add("org/folder")
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert ensure("org/folder").is_dir()
    assert all("authorization" in one.headers for one in hub.asked("/resolve/"))
    assert hub.asked("/cdn/")
    assert not any("authorization" in one.headers for one in hub.asked("/cdn/"))


@pytest.mark.usefixtures("hub")
def test_wrong_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(SourceError, match="401"):
        ensure("org/folder")


@pytest.mark.parametrize("where", ["/api/models/", "/cdn/"])
def test_too_many_requests_are_waited_for(hub: Hub, where: str, capsys: pytest.CaptureFixture[str]) -> None:
    hub.faults.append(Fault(where, status=429, headers={"Retry-After": "0.2"}))
    assert ensure("org/folder").is_dir()
    assert "429" in capsys.readouterr().err


def test_a_long_wait_is_told_not_waited_for(hub: Hub) -> None:
    hub.faults.append(Fault("/api/models/", status=429, headers={"Retry-After": "3600"}, times=9))
    with pytest.raises(SourceError, match=r"429.*wait 3600 s"):
        ensure("org/folder")


@pytest.mark.parametrize("where", ["/api/models/", "/cdn/"])
def test_trouble_that_passes(hub: Hub, where: str) -> None:
    hub.faults.append(Fault(where, status=503, times=2))
    assert ensure("org/folder").is_dir()


def test_trouble_that_does_not_pass(hub: Hub) -> None:
    hub.faults.append(Fault("/api/models/", status=500, times=99))
    with pytest.raises(SourceError, match=r"trouble \(HTTP 500\)"):
        ensure("org/folder")


def test_not_a_hub(hub: Hub) -> None:
    hub.faults.append(Fault("/api/models/", body=b"<html>log in to the airport</html>"))
    with pytest.raises(SourceError, match="did not answer as the Hub does"):
        ensure("org/folder")


def test_no_network_fails_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SourceError, match=r"127\.0\.0\.1:9 cannot be reached.*check the network"):
        ensure("org/folder")


def test_offline_is_honoured(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SourceError, match="HF_HUB_OFFLINE"):
        ensure("org/folder")
    assert not hub.log


def test_offline_takes_what_the_client_has_cached(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import hf_hub_download

    cache = str(tmp_path / "hf" / "hub")
    for name in hub.repositories["org/folder"]:
        hf_hub_download("org/folder", name, endpoint=hub.url, cache_dir=cache)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", cache)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = len(hub.log)
    folder = ensure("org/folder")
    assert _names(folder) == WANTED
    assert (folder / "model.safetensors").read_bytes() == hub.repositories["org/folder"]["model.safetensors"]
    assert len(hub.log) == before


def test_a_mirror_that_lists_names_alone(hub: Hub) -> None:
    hub.lists_hashes = False
    hub.faults.append(Fault("/cdn/", body=bytes(3013)))
    with pytest.raises(SourceError, match="SHA-256"):
        ensure("org/folder")
    assert _names(ensure("org/folder")) == WANTED


def test_hostile_file_name(hub: Hub) -> None:
    hub.repositories["org/folder"]["../../evil.safetensors"] = b"x"
    with pytest.raises(SourceError, match="hostile name"):
        ensure("org/folder")


def test_a_page_of_the_hub_is_its_source(hub: Hub) -> None:
    path = ensure("https://huggingface.co/org/quantised/blob/main/tiny.Q8_0.gguf")
    assert path.name == "tiny.Q8_0.gguf"
    assert hub.asked("/api/models/org/quantised")


@pytest.mark.parametrize("text", ["hf:noslash", "hf:a/b/c", "hf:", "hf:a/b@", "hf:a/b:"])
def test_malformed(text: str) -> None:
    with pytest.raises(UsageError, match="write hf:ORG/REPO"):
        ensure(text)


@pytest.mark.usefixtures("hub")
def test_from_a_fresh_process(home: Path) -> None:
    """HF_ENDPOINT as users set it, before the client is imported."""
    code = "from longra.library import ensure; print(ensure('org/folder'))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=dict(os.environ), capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == home / "models" / "folder"
    assert all(len(line) < 200 for line in done.stderr.splitlines())
