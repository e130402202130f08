"""`longra evaluate code` as users type it."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from running import COMMAND

from longra.cli import main

PROBLEMS = [
    {"task_id": f"own/{i}", "prompt": f"def f{i}(x):\n    '''x'''\n", "entry_point": f"f{i}", "test": test}
    for i, test in enumerate(["def check(f): pass", "def check(f): assert f(1) == 'never'"])
]
SHORT = ["--threads", "1", "-n", "8"]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("own.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in PROBLEMS), encoding="utf-8")
    return "own.jsonl"


def test_own_problems_are_answered_checked_and_kept(
    smollm2: Path, data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "code", "-m", str(smollm2), "--data", data, *SHORT, "--output", "out.jsonl"]
    assert main(words) == 0
    out, _ = capsys.readouterr()
    assert f"{smollm2.name} on own.jsonl " in out
    assert ": 2 problems, 1 answer each, greedy, instruct prompt\n" in out
    assert "pass@1   50.0 %" in out
    assert "passed 1" in out
    assert "Please provide a self-contained Python script" in out  # the exact prompt
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert {(row["task_id"], row["passed"]) for row in rows} == {("own/0", True), ("own/1", False)}
    assert rows[0]["run"]["form"] == "instruct"
    assert main([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == "out.jsonl: 2 of 2 answers are there already\n"
    found = json.loads(out)
    assert (found["problems"], found["scores"]["pass@1"]["percent"]) == (2, 50.0)
    assert len(Path("out.jsonl").read_text().splitlines()) == 2
    assert main([*words, "--raw"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "out.jsonl holds another run, whose form is 'instruct' and not 'completion'; give another --output" in err


def test_an_interrupted_run_goes_on(smollm2: Path, data: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "code", "-m", str(smollm2), "--data", data, *SHORT, "-t", "0.8", "--output", "out.jsonl"]
    process = subprocess.Popen([*COMMAND, *words, "--samples", "500"], stderr=subprocess.PIPE, text=True)
    file, deadline = Path("out.jsonl"), time.monotonic() + 60
    while not (file.exists() and file.read_text().count("\n") >= 4):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "of 1,000 answers; the same command goes on from there" in told
    before = file.read_text()
    kept = {(row["task_id"], row["sample"]) for row in map(json.loads, before.splitlines())}
    assert len(kept) == before.count("\n")
    assert main([*words, "--samples", "2", "--k", "1,2"]) == 0
    out, _ = capsys.readouterr()
    assert "2 problems, 2 answers each, temperature 0.8, seed 0" in out
    assert "pass@2" in out
    assert file.read_text().startswith(before)
    rows = [(row["task_id"], row["sample"]) for row in map(json.loads, file.read_text().splitlines())]
    assert len(rows) == len(set(rows)) == len(kept | {(f"own/{i}", sample) for i in (0, 1) for sample in (0, 1)})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--k", "2"], "--k is 2; each must be from 1 to --samples, which is 1"),
        (["--k", "one"], "--k is 'one'; give whole numbers such as 1,10"),
        (["--samples", "3", "-t", "0"], "3 answers at temperature 0 are the same one; give -t 0.8, or --samples 1"),
        (["--data", "none.jsonl"], "cannot read none.jsonl: No such file or directory; check the path"),
    ],
)
def test_mistakes_are_told_before_a_model_is_loaded(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "code", "-m", "no-such-model", *words]) != 0
    assert capsys.readouterr() == ("", f"error: {message}\n")
