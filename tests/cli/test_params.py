"""`longra params` and `longra presets` as users type them."""

import json
from pathlib import Path

import pytest
from running import Live, longra

from longra.cli import main
from longra.cli.chances import bar, chart
from longra.cli.shared.visible import visible
from longra.sampling.effect import TOWN, effect_of
from longra.sampling.parameters import PARAMETERS


def test_all_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["params"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["PARAMETER", "DEFAULT", "RANGE", "OFF", "AT", "WHAT", "IT", "DOES"]
    assert [line.split()[0].replace("-", "_") for line in lines[1:]] == list(PARAMETERS)
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", ["top-p", "top_p", "--top-p", "TOP-P"])
def test_a_name_is_taken_in_any_form(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["params", "--", name] if name.startswith("-") else ["params", name]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert out.startswith("top-p: --top-p, default 0.95, range above 0 to 1, 1 is off\n\nOnly the likeliest")
    assert "␣no     15.00 %" in out
    assert "before: 5 tokens may be drawn, 1.83 bits" in out


@pytest.mark.parametrize("name", PARAMETERS)
def test_each_is_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["params", name, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert list(shown) == ["parameter", "option", "default", "range", "off", "does", "source", "effect"]
    assert (shown["effect"] is None) == (PARAMETERS[name].shown is None)
    assert main(["params", name]) == 0


def test_on_a_prompt(default_installed: None, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    words = ["params", "top-p", "--value", "0.8", "--prompt", "The capital of France is", "--threads", "1"]
    assert main([*words, "--json"]) == 0
    effect = json.loads(capsys.readouterr().out)["effect"]
    first = effect["tokens"][0]
    assert first["text"] == "␣Paris"
    assert first["after"] > first["before"] > 0.5
    assert effect["may_be_drawn"]["after"] < 10 < effect["may_be_drawn"]["before"] == 49152
    assert main(["params", "logit-bias", "--value", " Paris=-100", *words[4:]]) == 0
    out = capsys.readouterr().out
    assert any(line.startswith("␣Paris") and line.endswith("-") for line in out.splitlines())
    assert "49,1" in out
    assert main(["params", *words[4:], "--chat"]) == 0
    assert capsys.readouterr().out.startswith('\nthe defaults together: the answer to "The capital of France is"')


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["top-q"], "there is no parameter 'top-q'; did you mean top-k?"),
        (["top-p", "--value", "x"], "--value is 'x'; top-p takes a number, above 0 to 1"),
        (["top-p", "--value", "3"], "top_p is 3.0; it must be above 0"),
        (["top-k", "--value", "1.5"], "takes a number, 0 or more"),
        (["--value", "3"], "--value is of one parameter"),
        (["logit-bias", "--value", "9=1"], "those of the example, 0 to 4"),
        (["logit-bias", "--value", "none"], "write ID=BIAS"),
    ],
)
def test_errors(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["params", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    with Live("params", "min-p", terminal=True) as live:
        assert live.end() == 0
        assert "\x1b[36m" in live.output
    monkeypatch.setenv("NO_COLOR", "1")
    with Live("params", "min-p", terminal=True) as live:
        assert live.end() == 0
        assert "\x1b" not in live.output


def test_wide_tokens_keep_the_columns() -> None:
    names = ["北京", "a", "哪里", "␣", "<E4>"]
    lines = chart(effect_of({"temperature": 2}, TOWN), 5, lambda token: names[token]).splitlines()
    assert lines[0] == "TOKEN  BEFORE                               AFTER"
    assert lines[1].startswith("北京    50.00 % █")
    assert lines[2].startswith("a       25.00 % █")


def test_bars() -> None:
    assert [bar(share, 4) for share in (0, 0.001, 0.25, 0.53125, 1)] == ["", "▏", "█", "██▏", "████"]


def test_visible() -> None:
    assert visible(" a\n\tb\r\u200b") == "␣a⏎⇥b␍<U+200B>"
    assert visible("中" * 20) == "中" * 11 + "…"


def test_presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LONGRA_HOME", str(tmp_path))
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "story.yaml").write_text("about: 讲故事\ntop_k: 0\n", encoding="utf-8")
    (tmp_path / "presets" / "wrong.yaml").write_text("top_q: 0\n", encoding="utf-8")
    assert main(["presets"]) == 0
    out, err = capsys.readouterr()
    assert "\nstory           you     top-k 0 " in out
    assert "warning: " in err
    assert "no parameter 'top_q'" in err
    assert main(["presets", "--json"]) == 0
    listed = {preset["name"]: preset for preset in json.loads(capsys.readouterr().out)["presets"]}
    assert listed["story"]["values"] == {"top_k": 0}
    assert listed["gemma3"]["file"] is None
    assert main(["presets", "show", "story"]) == 0
    assert capsys.readouterr().out == "about: 讲故事\ntop_k: 0\n"
    assert main(["presets", "remove", "story"]) == 0
    assert not (tmp_path / "presets" / "story.yaml").exists()
    assert main(["presets", "show", "story"]) == 2


def test_a_preset_in_a_generation(default_installed: None, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    words = ["generate", "--raw", "--preset", "smollm2", "-n", "1", "--threads", "1", "--verbose", "Once"]
    ran = longra(*words, "--top-p", "0.8")
    assert ran.code == 0
    assert "preset smollm2: temperature 0.2, top-k 0\n" in ran.err
    assert "temperature 0.2, top-p 0.8," in ran.err
    assert main([*words[:3], "smolm2", *words[4:]]) == 2
    assert "did you mean smollm2?" in capsys.readouterr().err


def test_a_preset_in_a_chat(default_installed: None) -> None:  # noqa: ARG001
    ran = longra("chat", "--preset", "gemma3", "-n", "1", "--threads", "1", "--verbose", stdin="Hi\n")
    assert "preset gemma3: temperature 1.0, top-k 64, top-p 0.95\n" in ran.err
    assert "temperature 1, top-k 64, top-p 0.95," in ran.err
