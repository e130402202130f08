"""The command itself: it starts quickly, finds verbs, and turns what goes wrong into a line."""

import subprocess
import sys
import time

import pytest
from running import longra, process

from longra.cli.app import VERBS
from longra.text.width import text_width

pytestmark = pytest.mark.usefixtures("default_installed")


def seconds(command: list[str]) -> float:
    """Wall time of a process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def ends_within(limit: float, command: list[str]) -> bool:
    """Whether a process can end in so many seconds: one of many goes is enough, for other work must not count."""
    return any(seconds(command) < limit for _ in range(20))


def test_import_is_quick_and_brings_no_library_in() -> None:
    bare, ours = ([sys.executable, "-c", code] for code in ("pass", "import longra"))
    assert ends_within(min(seconds(bare) for _ in range(5)) + 0.15, ours)
    code = (
        "import longra, sys; print([m for m in ('numpy', 'typer', 'rich', 'tokenizers', 'jinja2') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"[]"


def test_help_is_quick() -> None:
    assert ends_within(0.3, [sys.executable, "-m", "longra", "--help"])


def test_help_lists_every_verb_and_each_has_its_own_with_an_example() -> None:
    shown = longra("--help").out
    for verb, about in VERBS.items():
        assert f"  {verb} " in shown
        ran = longra(verb, "--help")
        assert ran.code == 0, verb
        assert "Example" in ran.out, verb
        assert about.split()[0].rstrip(",") in ran.out


def test_no_word_is_help_and_version_is_told() -> None:
    assert process().out == longra("--help").out
    assert process("--version").out.startswith("longra 0.")


@pytest.mark.parametrize(
    ("words", "message"),
    [(["genrate", "x"], "did you mean `longra generate`?"), (["xyzzy"], "`longra --help`"), (["--wrong"], "--wrong")],
)
def test_unknown_verbs_and_options(words: list[str], message: str) -> None:
    ran = process(*words)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_traceback_only_with_debug_anywhere() -> None:
    for words in (["generate", "x", "-m", "nope", "--debug"], ["--debug", "generate", "x", "-m", "nope"]):
        done = subprocess.run(
            [sys.executable, "-m", "longra", *words], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        assert done.returncode == 1
        assert b"Traceback" in done.stderr
        assert done.stderr.splitlines()[-1].startswith(b"error: no model is called 'nope'")


def test_debug_after_two_dashes_is_a_prompt() -> None:
    ran = process("generate", "-n", "1", "--", "--debug")
    assert (ran.code, ran.err) == (0, "")


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from longra.cli.shared import console

    monkeypatch.setattr(console, "is_terminal", lambda _=None: True)
    monkeypatch.setenv("TERM", "xterm")
    assert console.paint("x", "31") == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert console.paint("x", "31") == "x"


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    from longra.cli.shared import console

    console.result_json({"a": [1.5, float("inf")], "b": {"c": float("nan")}, "d": (True, None, "字")})
    assert capsys.readouterr().out == '{"a": [1.5, null], "b": {"c": null}, "d": [true, null, "字"]}\n'


def test_columns_of_wide_characters_line_up() -> None:
    from longra.cli.shared import console

    assert text_width("中文e\u0301") == 5
    lines = console.table(("A", "B"), [("中文", "1"), ("x", "22")], right=frozenset({1})).splitlines()
    assert [text_width(line) for line in lines] == [8, 8, 8]
