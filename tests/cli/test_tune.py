"""`longra tune` as users type it."""

import json
from pathlib import Path

import pytest
from running import Live, longra

from longra.cli import main
from longra.cli.tuned import _show_side_by_side
from longra.evaluate.tune.figures import Measured, measure
from longra.evaluate.tune.grid import DEFAULT_AXES, Cell
from longra.evaluate.tune.run import Finished, Text
from longra.sampling import GenerationConfig
from longra.sampling.parameters import PARAMETERS
from longra.sampling.presets import find_preset
from longra.text.width import text_width

GRID = ("tune", "--raw", "-t", "0,0.9", "--top-p", "1", "--repetition-penalty", "1", "-n", "6", "--seed", "3")
SHORT = (*GRID, "--threads", "1", "-f", "prompt.txt")


@pytest.fixture(autouse=True)
def own_presets(default_store: Path, tmp_path: Path, _own_home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default model, and a place for presets that no other test sees."""
    monkeypatch.setenv("LONGRA_HOME", str(tmp_path))
    (tmp_path / "models").symlink_to(default_store / "models")
    monkeypatch.chdir(tmp_path)
    Path("prompt.txt").write_text("The river", encoding="utf-8")


def test_tune(capsys: pytest.CaptureFixture[str]) -> None:
    keep = ("--save", "story", "--choose", "2", "--html", "page.html", "--plot", "plot.svg")
    assert main([*SHORT, "--num-sequences", "2", *keep]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("--- 1: temperature 0, top-k 40, top-p 1, min-p 0, repetition-penalty 1, max-tokens 6 ---\n")
    assert out.splitlines()[-3].split()[:4] == ["SET", "TEMPERATURE", "WORDS", "DISTINCT-1"]
    assert "figures are means over 2 texts of each set" in err
    assert "Likelihood is not quality" in err
    assert "set 2 is the preset story (" in err
    assert find_preset("story").values == {
        **{"temperature": 0.9, "top_k": 40, "top_p": 1.0, "min_p": 0.0},
        **{"repetition_penalty": 1.0, "max_tokens": 6},
    }
    assert "The river" in find_preset("story").about
    assert "suggested" in Path("page.html").read_text(encoding="utf-8")
    assert Path("plot.svg").read_text(encoding="utf-8").startswith("<svg")


def test_json_and_a_preset_for_what_is_not_varied(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SHORT, "--num-sequences", "1", "--preset", "gemma3", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert list(shown) == ["prompt", "model", "seed", "complete", "suggested", "rule", "sets"]
    assert (shown["seed"], shown["complete"], len(shown["sets"])) == (3, True, 2)
    first = shown["sets"][0]
    assert (first["parameters"]["temperature"], first["parameters"]["top_k"]) == (0, 64)
    assert {"distinct_2", "rep_4", "compression_ratio", "mean_logprob", "perplexity"} < set(first)
    assert first["texts"][0]["finish_reason"] == "length"


def test_an_interrupted_grid_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    """One set is done at once, the other would take minutes."""
    words = (
        "tune",
        "--raw",
        "-t",
        "0",
        "--top-p",
        "1",
        "--repetition-penalty",
        "1",
        "--num-sequences",
        "1",
        "-f",
        "prompt.txt",
    )
    keeping = (*words, "--threads", "1", "--output", "sets.jsonl")
    with Live(*keeping, "-n", "1,7000", terminal=True) as live:
        live.until(r"about .* left")
        live.interrupt()
        assert live.end() == 130
        assert "interrupted: 1 of 2 sets are finished; the same command goes on from there" in live.output
        assert "Likelihood is not quality" in live.output
    assert main([*keeping, "-n", "2,1"]) == 0
    assert "sets.jsonl: 1 of 2 sets are there already" in capsys.readouterr().err
    rows = [json.loads(line) for line in Path("sets.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["parameters"]["max_tokens"] for row in rows] == [1, 2]
    assert main([*keeping, "-n", "1", "--seed", "1"]) == 2
    assert "whose seed is 0 and not 1" in capsys.readouterr().err


def test_columns_cut_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Chinese has no spaces to break a line at."""
    monkeypatch.setenv("COLUMNS", "100")
    story = "".join(chr(0x4E00 + i) for i in range(200))
    texts = [story, "supercalifragilistic" * 9, "one two three"]
    _show_side_by_side([measured(number, text) for number, text in enumerate(texts, 1)])
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert set(story) <= set(shown)
    assert all(text_width(line) == 100 for line in shown.splitlines())
    for number in (1, 2, 3):
        assert f"temperature 0.{number}" in shown


def measured(number: int, text: str) -> Measured:
    cell = Cell(number, {"temperature": number / 10}, GenerationConfig())
    return measure(Finished(cell, (Text(text, "stop", 0, 0),)))


def test_it_asks_at_a_terminal() -> None:
    with Live(*SHORT, "--num-sequences", "1", terminal=True) as live:
        live.until(r"or Enter for none: ")
        assert "temperature 0.9" in live.output
        live.send("7\n")
        live.until(r"none: .*none: ")
        live.send("1\n")
        live.until("Its name: ")
        live.send("a/b\n")
        live.until("cannot be the name.*Its name: ")
        live.send("mine\n")
        assert live.end() == 0
    assert find_preset("mine").values["temperature"] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-t", "warm", "x"), "--temperature is 'warm'; give numbers"),
        (("--top-k", "1.5", "x"), "--top-k is '1.5'; give numbers"),
        (("-t", "101", "x"), "temperature is 101.0; it must be from 0 to 100"),
        (("--choose", "2", "x"), "add --save NAME"),
        (("--choose", "13", "--save", "a", "x"), "--choose is 13, and there are 12 sets"),
        (("--save", "a", "x"), "add --choose N, from 1 to 12"),
        (("--save", "a/b", "--choose", "1", "x"), "cannot be the name of a preset"),
        (("--html", "no/page.html", "x"), "cannot write no/page.html: there is no folder no"),
        (("--preset", "nothing", "x"), "there is no preset 'nothing'"),
    ],
)
def test_errors(words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", *words]) == 2
    assert says in capsys.readouterr().err


def test_the_help_says_the_usual_values() -> None:
    words = " ".join(longra("tune", "--help").out.split())
    for name, values in DEFAULT_AXES.items():
        usual = ",".join(f"{value:g}" for value in values)
        assert f"{PARAMETERS[name].option} LIST Values to try, with commas between; {usual} unless said." in words
