"""`longra evaluate bleu|chrf|rouge --model` as users type it."""

import json
import re
import time
from pathlib import Path

import pytest
from running import Live

from longra.cli import main

SEGMENTS = 24
RAW = ("--raw", "-n", "5", "--threads", "1", "--bootstrap", "0")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, default_installed: None) -> Path:  # noqa: ARG001
    monkeypatch.chdir(tmp_path)
    rows = [{"q": f"{i} and {i + 1} are", "a": f"numbers, as is {i + 2}"} for i in range(SEGMENTS)]
    Path("set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return tmp_path


def evaluate(measure: str, *words: str) -> tuple[str, ...]:
    return ("evaluate", measure, "set.jsonl:q", "set.jsonl:a", "-m", "smollm2-135m-instruct", *RAW, *words)


def rows() -> list[dict[str, object]]:
    return [json.loads(line) for line in Path("out.jsonl").read_text(encoding="utf-8").splitlines()]


def test_it_goes_on_after_an_interruption_with_the_same_texts(capsys: pytest.CaptureFixture[str]) -> None:
    words = evaluate("chrf", "--output", "out.jsonl")
    with Live(*words) as live:
        while not Path("out.jsonl").exists() or b"\n" not in Path("out.jsonl").read_bytes():
            time.sleep(0.01)
        live.interrupt()
        assert live.end() == 130
        assert "the same command goes on" in live.output
    before = rows()
    assert 0 < len(before) < SEGMENTS
    with Path("out.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"number": 24, "te')  # as a kill leaves it
    assert main([*words]) == 0
    out, err = capsys.readouterr()
    assert f"out.jsonl: {len(before)} of 24 are there already\n" in err
    assert re.fullmatch(
        r"chrF2\|.* = [\d.]+\nHYP\|model:smollm2-135m-instruct\|.*\|form:raw\|.*\|temp:0\|max:5\|.*\n", out
    )
    assert [row["number"] for row in rows()] == list(range(1, SEGMENTS + 1))
    assert all(row in rows() for row in before)
    assert main(["evaluate", "chrf", "out.jsonl:text", "set.jsonl:a", "--bootstrap", "0"]) == 0
    assert capsys.readouterr().out == out.splitlines(keepends=True)[0]
    assert main([*words, "--prompt", "Q: {source}"]) == 2
    assert "holds another run, whose prompt is '{source}'" in capsys.readouterr().err


def test_json_and_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--json", "--html", "page.html", "--preset", "gemma3", "--prompt", "> {q}")
    assert main([*evaluate("rouge", *options)]) == 0
    out, err = capsys.readouterr()
    generated = json.loads(out)["generated"]
    assert (generated["temperature"], generated["top_k"], generated["prompt"]) == (1.0, 64, "> {q}")
    assert generated["signature"].startswith("model:smollm2-135m-instruct|")
    assert re.search(r"\d+ of 24 hypotheses were cut at 5 tokens; -n allows more", err)
    assert "A model wrote the hypotheses: model:smollm2" in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("set.jsonl:q", "set.jsonl:a", "-t", "1"), "--temperature is for hypotheses that a model writes; add --model"),
        (("set.jsonl:q", "set.jsonl:a", "--output", "o.jsonl"), "--output is for hypotheses"),
        (("set.jsonl:q", "set.jsonl:a", "-m", "x", "--prompt", "no"), "has no place for the source"),
        (("set.jsonl:q", "set.jsonl:b", "-m", "x"), "has no field 'b'; it has q, a"),
        (("set.jsonl:q", "set.jsonl:a", "-m", "x", "-t", "-1"), "temperature is -1.0"),
    ],
)
def test_errors_come_before_the_model(words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "bleu", *words]) in (1, 2)
    assert says in capsys.readouterr().err
