"""`longra evaluate perplexity` and `kl` as a user runs them."""

import json
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


def test_perplexity(file: Path) -> None:
    ran = longra("evaluate", "perplexity", "smollm2", str(file), "--window", "40")
    lines = ran.out.splitlines()
    assert lines[0].split() == ["VALUE", "MEASURE", "OVER"]
    assert [line.split(maxsplit=1)[1].split("  ")[0] for line in lines[1:5]] == [
        *("perplexity per token", "perplexity per word", "bits per character", "bits per byte"),
    ]
    assert lines[5] == "windows of 40 tokens, 20 apart; the first token is not scored"
    found = json.loads(longra("evaluate", "perplexity", "smollm2", "-", "--window", "40", "--json", stdin=TEXT).out)
    assert f"{found['perplexity_per_token']:.4f}" == lines[1].split()[0]
    assert (found["model"], found["complete"], found["bytes"]) == ("smollm2", True, len(TEXT.encode()) - len("The"))


def test_kl(file: Path) -> None:
    words = ("evaluate", "kl", "smollm2", "smollm2", str(file))
    ran = longra(*words, "--weights", "q4")
    assert "mean KL, nats" in ran.out
    assert "of the 10 likeliest tokens are shared" in ran.out
    found = json.loads(longra(*words, "--cache", "q8", "--reference-cache", "f32", "--json").out)
    assert 0 < found["mean_kl"] < 0.01
    assert found["same_choice"] > 0.9


def test_ctrl_c_keeps_what_is_scored(tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text(TEXT * 200, encoding="utf-8")
    with Live("evaluate", "perplexity", "smollm2", str(long), "--window", "256", terminal=True) as run:
        run.until(r"%, about \d+ (s|min) left")
        run.interrupt()
        assert run.end() == 130
        assert "perplexity per token" in run.output
        assert "interrupted: " in run.output


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("perplexity", "smollm2", "absent.txt"), 1, "cannot read absent.txt"),
        (("perplexity", "smollm2", "-", "--stride", "4000"), 2, "--stride 4,000 is out of range; choose 1 to 2,047"),
        (("kl", "smollm2"), 2, "MODEL"),
    ],
)
def test_errors(words: tuple[str, ...], code: int, says: str) -> None:
    ran = longra("evaluate", *words, stdin=TEXT)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err
