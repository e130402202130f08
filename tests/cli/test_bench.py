"""`longra bench` as a user runs it."""

import json
from pathlib import Path

import pytest
from running import Live, longra, process

pytestmark = pytest.mark.usefixtures("default_installed")


def test_json_and_plot(tmp_path: Path) -> None:
    out = tmp_path / "speed.svg"
    ran = process("bench", "--prefill", "20", "--decode-at", "8,40", "--streams", "1,2", "--json", "--plot", str(out))
    assert ran.code == 0
    assert ran.err == f"{out}: written\n"
    report = json.loads(ran.out)
    assert report["complete"] is True
    assert [(r["kind"], r["context"], r["streams"]) for r in report["results"]] == [
        ("prefill", 20, 1), ("decode", 8, 1), ("decode", 8, 2), ("decode", 40, 1), ("decode", 40, 2),
    ]  # fmt: skip
    assert report["peak_memory_bytes"] >= report["results"][-1]["peak_memory_bytes"] > report["product_bytes"]
    assert report["peak_memory_bytes"] < report["product_bytes"] + 200e6  # the cache of 150 tokens included
    assert out.read_text().count("<circle") == 2


def test_control_c_keeps_what_was_measured(tmp_path: Path) -> None:
    out = tmp_path / "speed.svg"
    with Live("bench", "--prefill", "", "--decode-at", "8,8000", "--plot", str(out), terminal=True) as live:
        live.until(r"decode .* 8 tokens .*each.*%, about \d+ (s|min) left")
        live.interrupt()
        assert live.end() == 130
    assert "interrupted: 1 of 2 measured" in live.output
    assert out.read_text().count("<circle") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--streams", "1,x"], "--streams is '1,x'; give whole numbers such as 1,4,16"),
        (["--decode-at", "", "--plot", "x.svg"], "--plot draws decode speed; give --decode-at and --streams"),
        (["--plot", "/no/where/x.svg"], "there is no folder /no/where; make it first"),
    ],
)
def test_what_cannot_be_done_is_told_at_once(words: list[str], says: str) -> None:
    ran = longra("bench", *words)
    assert ran.code == 2
    assert says in ran.err
    assert ran.out == ""
