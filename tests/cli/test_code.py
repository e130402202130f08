"""`longra code` as a process, with the default model; what models write is tested in tests/tasks/coding."""

import json
from pathlib import Path

import pytest
from running import longra

pytestmark = pytest.mark.usefixtures("default_installed")

ADD = 'def add(a, b):\n    """Return the sum of a and b."""\n'


@pytest.fixture
def add(tmp_path: Path) -> str:
    (tmp_path / "add.py").write_text(ADD, encoding="utf-8")
    return str(tmp_path / "add.py")


def test_code_from_a_file_or_standard_input_goes_on_to_the_functions_end(add: str) -> None:
    whole = ADD + "    return a + b\n"
    assert longra("code", stdin=ADD).out == whole
    assert longra("code", "-f", add, "--no-tidy").out == whole


def test_json_has_the_whole_code_and_the_models_part(add: str) -> None:
    result = json.loads(longra("code", "-f", add, "--json").out)
    assert result["text"] == ADD + "    return a + b\n"
    assert result["completion"].strip() == "return a + b"
    assert (result["language"], result["finish_reason"]) == ("python", "stop")
    assert "tests" not in result


def test_tests_pass_or_the_best_is_printed_with_exit_code_1(add: str, tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("assert add(1, 2) == 3\n", encoding="utf-8")
    (tmp_path / "bad.py").write_text("def test_it():\n    assert add(1, 2) == 4\n", encoding="utf-8")
    good = longra("code", "-f", add, "--tests", str(tmp_path / "good.py"), "--tries", "3", "--seed", "1")
    assert (good.code, good.out) == (0, ADD + "    return a + b\n")
    assert good.err == "try 1 of 3, seed 1: passed\n"
    bad = longra(
        "code", "-f", add, "--tests", str(tmp_path / "bad.py"), "--tries", "2", "--seed", "1", "-n", "40", "--json"
    )
    assert bad.code == 1
    tests = json.loads(bad.out)["tests"]
    assert (tests["passed"], tests["try"], [trial["seed"] for trial in tests["tries"]]) == (False, None, [1, 2])
    assert tests["tries"][0]["reason"] == "AssertionError"
    assert bad.err.endswith("error: none of 2 tries passed the tests; this is the best of them\n")


def test_what_is_cut_is_told(add: str) -> None:
    ran = longra("code", "-f", add, "-n", "2", "--no-tidy")
    assert ran.out.startswith(ADD)
    assert ran.err == "warning: the code was cut after 2 tokens; allow more with -n\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "neither an instruction nor code"),
        (["a", "--tries", "2"], 2, "--tries 2 needs --tests FILE"),
        (["-f", "ADD", "--suffix", "x"], 2, "no tokens for filling a gap"),
        (["-f", "nothing.py"], 1, "nothing.py"),
        (["a", "--lang", "c", "--tests", "ADD"], 2, "not for c"),
    ],
)
def test_wrong_wishes(words: list[str], code: int, said: str, add: str) -> None:
    ran = longra("code", *(add if word == "ADD" else word for word in words))
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
