"""benchmarks/compare.py: its figures come from times alone; it goes on without a peer that fails, and after Ctrl-C."""

import json
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
WORK = ["--prefill", "16", "--decode-at", "4", "--streams", "1,2", "--new", "3", "--rounds", "1"]


@pytest.fixture(scope="module", autouse=True)
def modules() -> Iterator[None]:
    """The script's folder is where Python looks for modules, as when it is run."""
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


PEER = """#!/bin/sh
echo '{"version": "v"}'
read order
[ -e "$0.dies" ] && kill -9 $$
echo '{"seconds": [[0.5]]}'
read order
read order
"""


@pytest.fixture
def peer(tmp_path: Path) -> Path:
    """An interpreter whose peer loads, answers once (16 tokens in half a second) and then not; or dies, if told so."""
    script = tmp_path / "python"
    script.write_text(PEER)
    script.chmod(0o755)
    return script


def start(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, BENCHMARKS / "compare.py", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_interrupted_then_gone_on_with_without_peers_that_fail(smollm2: Path, peer: Path, tmp_path: Path) -> None:
    peers = {"xllamacpp": "/bin/false", "openvino": "/no/such/python", "transformers": peer}
    words = [
        smollm2,
        *WORK,
        "--keep",
        tmp_path / "kept",
        *(f"--peer={name}={python}" for name, python in peers.items()),
    ]
    first = start(*words)
    assert first.stderr is not None
    shown = ""
    while "prefill 16" not in shown:
        shown += first.stderr.readline()
    first.send_signal(signal.SIGINT)
    table, rest = first.communicate(timeout=60)
    assert first.returncode == 130
    assert rest.endswith("interrupted: 1 of 3 measured\n")
    header, rule, row = table.splitlines()
    assert header.startswith("| SmolLM2-135M-Instruct.Q4_1 | longra ")
    assert header.endswith(" | v | times |")
    assert rule == "| --- | --- | --- | --- |"
    assert row.startswith("| prefill 16 | ")

    Path(f"{peer}.dies").touch()
    kept = (tmp_path / "kept").read_text()
    second = start(*words, "--json")
    found, errors = second.communicate(timeout=60)
    assert second.returncode == 0, errors
    report = json.loads(found)
    assert report["left_out"] == {
        "xllamacpp": "does not load the model: ended with exit code 1",
        "openvino": "does not load the model: /no/such/python: No such file or directory",
        "transformers": "4 tokens, 1 streams: ended with exit code -9",
    }
    assert all(f"{name} is left out: {why}" in errors for name, why in report["left_out"].items())
    prefill, *decode = report["results"]
    assert [(row["context"], row["streams"], list(row["tokens_per_second"])) for row in decode] == [
        (4, 1, ["longra"]),
        (4, 2, ["longra"]),
    ]
    longra, slow = (json.loads(line)["speed"]["prefill"] for line in kept.splitlines()[:2])
    assert prefill["tokens_per_second"] == {"longra": longra, "transformers": slow}
    assert prefill["ratio"] == {"transformers": longra / 32}


@pytest.mark.parametrize("peer", ["nobody=python", "xllamacpp"])
def test_unknown_peer(peer: str) -> None:
    ran = start("x.gguf", "--peer", peer)
    assert "is not NAME=PYTHON with a NAME of ctranslate2, openvino, tr" in ran.communicate(timeout=60)[1]
    assert ran.returncode == 2


def test_the_instruction_set_is_forced(smollm2: Path) -> None:
    ran = start(smollm2, *WORK, "--isa", "abacus")
    errors = ran.communicate(timeout=60)[1]
    assert "abacus" in errors
    assert "longra does not load the model: ended with exit code 1" in errors
    assert ran.returncode == 1


def test_each_peer_has_its_worker() -> None:
    script = runpy.run_path(str(BENCHMARKS / "compare.py"))
    scripts = {path.stem for path in (BENCHMARKS / "workers").glob("*.py") if "serve(f" in path.read_text()}
    assert scripts == {*script["PEERS"], "longra"}


@given(st.lists(st.floats(0.001, 10), min_size=2, max_size=9))
def test_one_stream_decodes_its_later_tokens_in_the_time_after_the_first(gaps: list[float]) -> None:
    from engine_worker import Job, speed

    times = [sum(gaps[: i + 1]) for i in range(len(gaps))]
    found = speed(Job(100, 1, len(gaps)), [times])
    assert found.prefill == pytest.approx(100 / gaps[0])
    assert found.decode == pytest.approx((len(gaps) - 1) / sum(gaps[1:]))
    assert speed(Job(100, 1, 1), [times[:1]]).decode is None


def test_streams_count_while_all_of_them_decode() -> None:
    from engine_worker import Job, speed

    found = speed(Job(10, 2, 4), [[1, 2, 3, 4], [2, 3, 4, 5]])
    assert (found.prefill, found.decode) == (10, 2)


@pytest.mark.parametrize(
    ("seconds", "why"),
    [([[1, 2], [3, 4]], "ended before the last one began"), ([[1, 2], [3]], "not 2 for each of 2")],
)
def test_what_gives_no_figure(seconds: list[list[float]], why: str) -> None:
    from engine_worker import Job, WorkerError, speed

    with pytest.raises(WorkerError, match=why):
        speed(Job(10, 2, 2), seconds)
