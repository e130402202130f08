"""`longra recommend` as a user runs it."""

import json
from pathlib import Path

import pytest
from running import longra


def test_a_table_with_marks_and_a_legend(tmp_path: Path) -> None:
    ran = longra("recommend", "--task", "code", "--memory", "1.2G", LONGRA_HOME=str(tmp_path))
    assert ran.code == 0
    first, _, header, *lines = ran.out.splitlines()
    assert first == "for code, in 1.2 GB of memory, at a context of 4,096 tokens, or what a model holds"
    assert header.split() == ["MODEL", "FORM", "MEMORY", "TOKENS/S", "QUALITY", "LICENCE", "WHY"]
    assert lines[0].split()[:2] == ["1", "qwen2.5-coder-0.5b-instruct"]
    assert "est." in lines[0]
    assert "33.5 a" in ran.out
    assert "        a not comparable (pass@1): Hugging Face, SmolLM2" in ran.out
    assert "QUALITY   HumanEval (pass@1, greedy; pass@1, 0-shot)\n          Qwen team, " in ran.out
    assert "`longra install qwen2.5-coder-0.5b-instruct` fetches the first" in ran.err


def test_json(tmp_path: Path) -> None:
    words = ("--licence", "open", "--language", "zh", "--context", "8000", "--memory", "16G")
    found = json.loads(longra("recommend", *words, "--json", LONGRA_HOME=str(tmp_path)).out)
    assert (found["task"], found["context"], found["memory_bytes"]) == ("writing", 8000, 16_000_000_000)
    for model in found["models"]:
        assert model["is_open"]
        assert "zh" in model["languages"]
        assert model["context"] >= 8000
        assert model["speed_is"] == "estimated"
        assert model["memory_bytes"]["total"] <= 16e9
    assert {"name": "gemma-3-1b-it", "reason": "licence"} in found["left_out"]
    assert found["models"][0]["figure"]["reference"]["url"].startswith("https://")


def test_explain_by_the_start_of_a_name(tmp_path: Path) -> None:
    ran = longra("recommend", "--explain", "qwen3-4", "--memory", "8G", LONGRA_HOME=str(tmp_path))
    assert ran.out.startswith("qwen3-4b: ")
    assert "fits into 8 GB" in ran.out
    assert "rule: of the models that fit" in ran.out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--memory", "200M"), 1, "error: no model fits into 200 MB at 4,096 tokens; the smallest"),
        (("--memory", "much"), 2, "give a size such as 8G or 500MB"),
        (("--language", "klingon"), 2, "choose from ar, cs"),
        (("--explain", "qwen3-4c"), 1, "did you mean qwen3-4b"),
    ],
)
def test_errors(tmp_path: Path, words: tuple[str, ...], code: int, says: str) -> None:
    ran = longra("recommend", *words, LONGRA_HOME=str(tmp_path))
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err


@pytest.mark.usefixtures("default_installed")
def test_what_bench_has_measured_is_told() -> None:
    assert longra("bench", "--prefill", "", "--decode-at", "8").code == 0
    ran = longra("recommend", "--explain", "smollm2-135m-instruct")
    assert "measured on this machine after 8 tokens" in ran.out
