"""The verbs of the library, as a user runs them."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.hub import Fault, Hub


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "longra", *words], capture_output=True, text=True, check=False)


def as_json(*words: str) -> Any:
    done = run(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_from_install_to_remove(hub: Hub, home: Path) -> None:
    done = run("install", f"{hub.url}/files/tiny.gguf")
    assert done.returncode == 0
    assert done.stdout == f"tiny  {home / 'models' / 'tiny' / 'tiny.gguf'}\n"
    assert done.stderr.splitlines()[0].startswith("downloading tiny.gguf from ")
    assert len(done.stderr.splitlines()) == 2  # a pipe: one line a step, no bar
    listed = {model["name"]: model for model in as_json("models")["models"]}
    assert listed["tiny"]["installed"]
    assert listed["tiny"]["bytes"] == len(hub.files["tiny.gguf"])
    assert listed["smollm2-135m-instruct"]["default"]
    assert as_json("verify", "tiny")["models"][0]["ok"]
    assert as_json("remove", "tiny")["name"] == "tiny"
    assert not (home / "models" / "tiny").exists()


def test_models_shows_size_task_licence_and_context() -> None:
    done = run("models")
    assert done.stderr == ""
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("smollm2-135m")]
    for cell in ("98.4 MB", "chat", "8,192", "Apache-2.0", "known, default"):
        assert cell in line


def test_context_and_licence_of_an_unlisted_model_come_from_its_files(hub: Hub) -> None:
    run("install", "org/folder")
    listed = {model["name"]: model for model in as_json("models")["models"]}
    assert listed["folder"]["licence"] == hub.licence


def test_verify_fails_on_a_changed_file(hub: Hub, home: Path) -> None:
    run("install", f"{hub.url}/files/tiny.gguf")
    path = home / "models" / "tiny" / "tiny.gguf"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    done = run("verify")
    assert done.returncode == 1
    assert "tiny  changed" in done.stdout
    assert "longra install --force" in done.stderr
    assert run("install", "--force", f"{hub.url}/files/tiny.gguf").returncode == 0
    assert run("verify").returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("install", "smolm2-135m"), 1, "did you mean smollm2-135m-instruct?"),
        (("install", "hf:bad"), 2, "write hf:ORG/REPO"),
        (("install",), 2, "NAME|SOURCE"),
        (("remove", "absent"), 1, "not installed"),
        (("verify", "absent"), 1, "not installed"),
        (("install", "org/absent"), 1, "no repository org/absent"),
    ],
)
@pytest.mark.usefixtures("hub")
def test_errors_are_one_line_and_no_traceback(words: tuple[str, ...], code: int, text: str) -> None:
    done = run(*words)
    assert done.returncode == code
    assert done.stdout == ""
    assert text in done.stderr
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_a_terminal_gets_a_bar_with_size_speed_and_time(hub: Hub) -> None:
    hub.faults.append(Fault("/files/", pace=0.03))
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "longra", "install", f"{hub.url}/files/tiny.gguf"],
        stdout=subprocess.PIPE,
        stderr=follower,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1"},
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            block = os.read(leader, 4096)
        except OSError:  # Linux: the other end is closed
            break
        if not block:
            break
        shown += block
    assert process.wait() == 0
    os.close(leader)
    text = shown.decode()
    assert "tiny.gguf" in text
    assert "/300.0 kB" in text  # size
    assert "kB/s" in text or "MB/s" in text
    assert "0:00:0" in text
