"""What must hold however an install goes: whole or not at all, one at a time, and the same command goes on."""

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from longra.errors import ModelNotFoundError, SourceError, StoreError, UsageError
from longra.library import ensure, find_installed, install_named, resolve, store
from longra.library.install import Order, Way, install
from longra.library.progress import Reporter
from longra.library.sources import parse_source
from longra.library.sources.base import Pin
from support.hub import Fault, Hub
from support.weights import gguf

ENSURE = "import sys; from longra.library import ensure; print(ensure(sys.argv[1]))"


def _start(source: str, code: str = ENSURE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, source], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _wait_for_download(hub: Hub) -> None:
    """Until a process has asked for a file."""
    deadline = time.monotonic() + 20
    while not hub.asked("/files/"):
        assert time.monotonic() < deadline, "no process asked for the file"
        time.sleep(0.02)


def _order(*sources: str) -> Order:
    return Order("tiny", tuple(Way(parse_source(source), Pin()) for source in sources))


# Sources in order


def test_next_source_is_tried_and_told(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    order = _order(f"{hub.url}/files/absent.gguf", f"{hub.url}/files/tiny.gguf")
    manifest = install(order, Reporter(show_steps=False))
    assert manifest.source == f"{hub.url}/files/tiny.gguf"
    told = capsys.readouterr().err
    assert "absent.gguf" in told
    assert "trying the next source" in told


def test_all_sources_failed_says_why_each(hub: Hub) -> None:
    order = _order(f"{hub.url}/files/absent.gguf", "http://127.0.0.1:9/x.gguf", "hf:org/absent")
    with pytest.raises(SourceError) as caught:
        install(order, Reporter())
    text = str(caught.value)
    assert "3 sources were tried" in text
    for reason in ("HTTP 404", "127.0.0.1:9 cannot be reached", "no repository org/absent", "same command"):
        assert reason in text


def test_wrong_hash_goes_to_the_next_source(hub: Hub) -> None:
    hub.files["bad.gguf"] = gguf(77)
    good = f"{hub.url}/files/tiny.gguf"
    pin = Pin(sha256=hashlib.sha256(hub.files["tiny.gguf"]).hexdigest())
    ways = tuple(Way(parse_source(url), pin) for url in (f"{hub.url}/files/bad.gguf", good))
    assert install(Order("tiny", ways), Reporter()).source == good


# Kills


def _survives_kill(source: str, name: str, content: bytes, delay: float) -> bool:
    """Start an install, kill it after delay seconds; whether the model is there. It must be whole if it is."""
    process = _start(source)
    time.sleep(delay)
    process.kill()
    process.communicate()
    try:
        assert resolve(name).read_bytes() == content
    except ModelNotFoundError:
        return False
    return True


def test_killed_at_any_moment_then_goes_on(hub: Hub) -> None:
    """Real processes, killed for real, at 8 random moments of a download of about 0.6 s."""
    content = gguf(8, 600_000)
    hub.files["slow.gguf"] = content
    moments = random.Random(4)
    for number in range(8):
        hub.faults[:] = [Fault("/files/", pace=0.015, times=99)]
        _survives_kill(f"{hub.url}/files/slow.gguf", "slow", content, moments.uniform(0.1, 1.2))
        if number % 4 == 3:
            hub.faults.clear()
            assert ensure(f"{hub.url}/files/slow.gguf").read_bytes() == content
            assert not store.verify(_installed("slow"))
            store.remove("slow", Reporter())
    assert any("range" in one.headers for one in hub.asked("/files/")), "no kill hit a download"


def test_killed_between_the_renames(hub: Hub, home: Path) -> None:
    """Every step of the last phase is a moment to die at: after any number of renames the same command goes on."""
    url = f"{hub.url}/files/tiny.gguf"
    code = """
import os, sys, pathlib
steps = int(sys.argv[2])
for name in ("rename", "replace", "unlink"):
    true = getattr(pathlib.Path, name)
    def counted(*arguments, true=true, **options):
        global steps
        steps -= 1
        if steps < 0:
            os.kill(os.getpid(), 9)
        return true(*arguments, **options)
    setattr(pathlib.Path, name, counted)
from longra.library import install_named
install_named(sys.argv[1], again=True)
"""
    for steps in range(12):
        process = subprocess.run([sys.executable, "-c", code, url, str(steps)], capture_output=True, check=False)
        found = find_installed("tiny")
        if found is not None:
            assert not store.verify(found)
        assert ensure(url).read_bytes() == hub.files["tiny.gguf"]
        assert list((home / "staging").iterdir()) == [] or process.returncode == -signal.SIGKILL
        if process.returncode == 0:
            return
    pytest.fail("the install never came through 12 steps")


def test_interrupted_by_the_user(hub: Hub) -> None:
    hub.files["slow.gguf"] = gguf(8, 600_000)
    hub.faults[:] = [Fault("/files/", pace=0.05, times=99)]
    process = subprocess.Popen(
        [sys.executable, "-m", "longra", "install", f"{hub.url}/files/slow.gguf"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _wait_for_download(hub)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "type the same command to go on" in err
    assert "Traceback" not in err
    hub.faults.clear()
    assert ensure(f"{hub.url}/files/slow.gguf").read_bytes() == hub.files["slow.gguf"]
    assert "range" in hub.asked("/files/")[-1].headers


# Two at once


def test_two_processes_share_one_download(hub: Hub) -> None:
    hub.files["slow.gguf"] = gguf(8, 600_000)
    slow = Fault("/files/", pace=0.5, times=99)
    hub.faults[:] = [slow]
    first = _start(f"{hub.url}/files/slow.gguf")
    _wait_for_download(hub)
    second = _start(f"{hub.url}/files/slow.gguf")
    assert second.stderr is not None
    assert "waiting: another process is installing slow" in second.stderr.readline()
    slow.pace = 0.0
    out1, err1 = first.communicate(timeout=30)
    out2, err2 = second.communicate(timeout=30)
    assert (first.returncode, second.returncode) == (0, 0), err1 + err2
    assert out1 == out2
    assert len(hub.asked("/files/")) == 1


def test_the_second_goes_on_when_the_first_is_killed(hub: Hub) -> None:
    hub.files["slow.gguf"] = gguf(8, 600_000)
    hub.faults[:] = [Fault("/files/", pace=0.1, times=1)]  # 4 seconds for the whole
    first = _start(f"{hub.url}/files/slow.gguf")
    _wait_for_download(hub)
    time.sleep(0.4)
    second = _start(f"{hub.url}/files/slow.gguf")
    time.sleep(0.5)
    first.kill()
    first.communicate()
    out, err = second.communicate(timeout=30)
    assert second.returncode == 0, err
    assert Path(out.strip()).read_bytes() == hub.files["slow.gguf"]
    assert "range" in hub.asked("/files/")[-1].headers


# Disks


def test_a_full_disk_is_said_before_the_download(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "free_bytes", lambda _path: 1000)
    with pytest.raises(StoreError, match=r"needs 17\.\d MB and the disk of .* has 1 kB free.*LONGRA_HOME"):
        ensure("hf:org/quantised:tiny.Q4_0.gguf")
    assert not hub.asked("/cdn/")


def test_a_disk_that_fills_up_on_the_way(hub: Hub) -> None:
    """The kernel refuses to let a file grow, as a full disk does; later there is room and the same command goes on."""
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n{ENSURE}"
    process = _start(f"{hub.url}/files/tiny.gguf", code)
    _out, err = process.communicate(timeout=30)
    assert "StoreError" in err
    assert "became full" in err
    assert "type the same command to go on" in err
    assert ensure(f"{hub.url}/files/tiny.gguf").read_bytes() == hub.files["tiny.gguf"]


def test_a_store_that_cannot_be_written(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LONGRA_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StoreError, match=r"cannot be written.*LONGRA_HOME"):
        ensure(f"{hub.url}/files/tiny.gguf")


# The store


def _installed(name: str) -> store.Manifest:
    found = find_installed(name)
    assert found is not None
    return found


def test_verify_finds_every_change(hub: Hub) -> None:
    folder = ensure("org/folder")
    assert store.verify(_installed("folder")) == []
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[100] ^= 1
    weights.write_bytes(content)
    (folder / "config.json").write_text("{}")
    (folder / "LICENSE").unlink()
    kinds = {difference.path: difference.kind for difference in store.verify(_installed("folder"))}
    assert kinds == {"model.safetensors": "sha256", "config.json": "size", "LICENSE": "missing"}
    install_named("org/folder", again=True)
    assert store.verify(_installed("folder")) == []
    assert hub.asked("/resolve/")


def test_a_full_disk_is_said_when_only_the_answer_tells_the_size(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "free_bytes", lambda _path: 1000)
    with pytest.raises(StoreError, match=r"tiny\.gguf needs 17\.\d MB"):
        ensure(f"{hub.url}/files/tiny.gguf")
    assert not list(home.glob("staging/*/*.part"))


@pytest.mark.usefixtures("hub")
def test_remove(home: Path) -> None:
    ensure("org/folder")
    assert store.remove("folder", Reporter()) > 200_000
    assert list((home / "models").iterdir()) == list((home / "trash").iterdir()) == []
    with pytest.raises(ModelNotFoundError, match="not installed"):
        store.remove("folder", Reporter())


def test_remove_takes_unfinished_installs_too(hub: Hub, home: Path) -> None:
    hub.faults += [Fault("/files/", cut_after=100_000), Fault("/files/", status=403)]
    with pytest.raises(SourceError):
        ensure(f"{hub.url}/files/tiny.gguf")
    assert store.remove("tiny", Reporter()) >= 100_000
    assert list((home / "staging").iterdir()) == []


@pytest.mark.parametrize("record", ["", "{}", "[]", '{"format": 99}', "\0\xff"])
@pytest.mark.usefixtures("hub")
def test_damaged_record(record: str) -> None:
    folder = ensure("org/folder")
    (folder / "longra.json").write_text(record)
    with pytest.raises(StoreError, match=r"record .* cannot be read.*longra remove folder"):
        resolve("folder")
    assert store.installed() == ([], ["folder"])
    store.remove("folder", Reporter())
    assert ensure("org/folder").is_dir()


def test_files_that_are_gone(hub: Hub) -> None:
    path = ensure(f"{hub.url}/files/tiny.gguf")
    path.unlink()
    with pytest.raises(StoreError, match=r"is gone.*longra remove tiny"):
        resolve("tiny")


def test_another_model_of_the_same_name(hub: Hub) -> None:
    ensure(f"{hub.url}/files/tiny.gguf")
    with pytest.raises(UsageError, match=r"taken by a model from .*--name"):
        ensure(f"{hub.url}/elsewhere/tiny.gguf")
    other = install_named(f"{hub.url}/elsewhere/tiny.gguf", name="other")
    assert other.name == "other"


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("name", ["../evil", "", ".hidden", "a/b", "A", "x" * 97, "a~b"])
def test_names_that_cannot_be_folders(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a model's name"):
        install_named("org/folder", name=name)


# Paths


def test_a_path_is_registered_not_copied(tmp_path: Path, home: Path) -> None:
    mine = tmp_path / "My Model.gguf"
    mine.write_bytes(gguf(1))
    manifest = install_named(str(mine))
    assert manifest.name == "my-model"
    assert resolve("my-model") == mine
    assert [item.name for item in (home / "models" / "my-model").iterdir()] == ["longra.json"]
    assert store.verify(manifest) == []
    mine.write_bytes(gguf(2))
    assert [difference.kind for difference in store.verify(manifest)] == ["sha256"]
    store.remove("my-model", Reporter())
    assert mine.exists()


def test_a_path_that_is_gone(tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(gguf(1))
    install_named(str(mine))
    mine.unlink()
    with pytest.raises(StoreError, match=r"is gone; put it back, or `longra remove mine`"):
        resolve("mine")


def test_a_folder_is_registered_with_its_model_files(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "weights.safetensors").write_bytes(bytes(100))
    (folder / "notes.txt").write_text("mine")
    manifest = install_named(str(folder))
    assert [file.path for file in manifest.files] == ["config.json", "weights.safetensors"]
    assert resolve("checkpoint") == folder


def test_a_path_where_nothing_is() -> None:
    with pytest.raises(SourceError, match=r"absent\.gguf' does not exist"):
        install_named("./absent.gguf")


def test_a_path_that_is_no_model(tmp_path: Path, home: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("the weather of May")
    with pytest.raises(SourceError, match=r"notes\.txt is not a GGUF file: it starts with b'the weather"):
        install_named(str(notes))
    assert not (home / "models" / "notes.txt").exists()


def test_a_network_that_is_not_there_names_a_mirror_only_where_one_helps() -> None:
    with pytest.raises(SourceError, match="set HTTPS_PROXY; `longra doctor`"):
        install_named("http://127.0.0.1:1/tiny.gguf")


def test_record_is_readable_json(hub: Hub) -> None:
    path = ensure(f"{hub.url}/files/tiny.gguf")
    table = json.loads((path.parent / "longra.json").read_text())
    assert table["files"][0]["path"] == "tiny.gguf"
    assert table["format"] == 1
