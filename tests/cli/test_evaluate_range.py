"""`longra evaluate range` as users type it."""

import json
from pathlib import Path

import pytest

from longra.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_grid_is_shown_kept_and_drawn(smollm2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "range", "-m", str(smollm2), "--threads", "1", "--lengths", "400", "--tasks", "needle"]
    words += ["--depths", "1", "--output", "out.jsonl"]
    assert main([*words, "--plot", "grid.svg", "--html", "grid.html"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "needle: a number said once, percent found"
    assert lines[1].split() == ["TOKENS", "400"]
    assert [line.split()[0] for line in lines[2:3]] == ["50%"]
    assert f"{smollm2.name}, chat prompt, seed 0, greedy; after RULER" in out
    assert err == "grid.svg: written\ngrid.html: written\n"
    assert Path("grid.svg").read_text().startswith("<svg ")
    assert Path("grid.svg").read_text().strip() in Path("grid.html").read_text()
    before = Path("out.jsonl").read_text()
    assert main([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == "out.jsonl: 1 of 1 questions are answered already\n"
    found = json.loads(out)
    assert [(cell["task"], cell["length"], cell["depth"]) for cell in found["cells"]] == [("needle", 400, 0.5)]
    assert [finding["score"] for finding in found["findings"]] == [cell["score"] for cell in found["cells"]]
    assert Path("out.jsonl").read_text() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lengths", "1e3"], "--lengths is '1e3'; give whole numbers such as 1000,8000"),
        (["--lengths", "0"], "--lengths has 0; give numbers above 0"),
        (["--tasks", "needle,thread"], "there is no task 'thread'; choose from needle, multikey, variables, words"),
        (["--plot", "no/grid.svg"], "no/grid.svg: there is no folder no; make it first"),
    ],
)
def test_mistakes_are_told_before_a_model_is_loaded(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "range", "-m", "no-such-model", *words]) == 2
    assert capsys.readouterr() == ("", f"error: {message}\n")
