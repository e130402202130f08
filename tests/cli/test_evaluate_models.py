"""`longra evaluate perplexity` and `kl` as a user runs them."""

import json
import math
from pathlib import Path

import pytest
from running import Live, longra

pytestmark = pytest.mark.usefixtures("default_installed")

TEXT = "The lamp was kept by Maud. The hotel burned down in 1950, and nobody built it again.\n" * 3


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_perplexity_of_standard_input() -> None:
    found = json.loads(longra("evaluate", "perplexity", "smollm2", "-", "--window", "40", "--json", stdin=TEXT).out)
    assert (found["model"], found["file"], found["complete"]) == ("smollm2", "standard input", True)
    assert (found["bytes"], found["window"], found["stride"]) == (len(TEXT.encode()) - len("The"), 40, 20)
    assert found["perplexity_per_token"] == pytest.approx(math.exp(found["nats"] / found["tokens"]))


def test_kl_of_two_caches(file: Path) -> None:
    words = ("evaluate", "kl", "smollm2", "smollm2", str(file), "--cache", "q8", "--reference-cache", "f32", "--json")
    found = json.loads(longra(*words).out)
    assert 0 < found["mean_kl"] < 0.01
    assert found["same_choice"] > 0.9
    assert found["percentiles"]["50"] <= found["percentiles"]["99"] <= found["max_kl"]


def test_ctrl_c_keeps_what_is_scored(tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text(TEXT * 200, encoding="utf-8")
    with Live("evaluate", "perplexity", "smollm2", str(long), "--window", "256", terminal=True) as run:
        run.until(r"%, about \d+ (s|min) left")
        run.interrupt()
        assert run.end() == 130
        assert "perplexity per token" in run.output
        assert "interrupted: " in run.output
        assert "give --output FILE.jsonl" in run.output


def test_an_interrupted_run_goes_on_to_the_same_figures(tmp_path: Path) -> None:
    text, kept = tmp_path / "long.txt", tmp_path / "kept.jsonl"
    text.write_text(TEXT * 12, encoding="utf-8")
    words = ("evaluate", "perplexity", "smollm2", str(text), "--window", "64", "--json")
    whole = json.loads(longra(*words, "--output", str(kept)).out)
    rows = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(b"".join(rows[:3]) + rows[3][:20])  # cut off in the midst of a line
    again = json.loads(longra(*words, "--output", str(kept)).out)
    assert again.pop("nats") == pytest.approx(whole.pop("nats"))
    assert {name: again[name] for name in ("tokens", "complete")} == {"tokens": whole["tokens"], "complete": True}
    assert len(kept.read_bytes().splitlines()) == len(rows)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("perplexity", "smollm2", "absent.txt"), 1, "cannot read absent.txt"),
        (("perplexity", "smollm2", "-", "--stride", "4000"), 2, "--stride 4,000 is out of range; choose 1 to 2,047"),
    ],
)
def test_errors(words: tuple[str, ...], code: int, says: str) -> None:
    ran = longra("evaluate", *words, stdin=TEXT)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err
