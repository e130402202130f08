"""Code by a real model: on from code, into a gap, to an instruction; and tests in the sandbox."""

import ast
from pathlib import Path

import pytest

import longra
from longra.errors import UsageError
from longra.tasks.coding.coding import CodePlan, code, plan_code
from longra.tasks.coding.infill import infill_of, split_at_mark
from longra.tasks.coding.languages import guess_language, language_named
from longra.tasks.coding.trials import Trial, check_tests, run_tests, trials

FIB = 'def fib(n):\n    """The n-th Fibonacci number, fib(0) = 0."""\n'


@pytest.fixture(scope="module")
def model(qwen: Path) -> longra.Model:
    return longra.load(qwen, threads=1)


@pytest.fixture(scope="module")
def small(smollm2: Path) -> longra.Model:
    return longra.load(smollm2, threads=1)


def test_code_ends_with_the_function(model: longra.Model) -> None:
    coding = code(model, before=FIB, max_tokens=120)
    pieces = list(coding)
    result = coding.result
    assert "".join(pieces) == result.text == FIB + result.extra["completion"]
    assert len(ast.parse(result.text).body) == 1
    assert (result.finish_reason, result.extra["language"]) == ("stop", "python")


def test_a_gap_is_filled_with_the_models_own_tokens(model: longra.Model) -> None:
    before, after = split_at_mark(FIB + "    a, b = 0, 1\n<FILL_ME>\n    return a\n")
    plan = plan_code(model, before=before, after=after, max_tokens=60)
    spelled = model.tokenizer.decode(plan.tokens, skip_special=False)
    assert spelled == f"<|fim_prefix|>{before}<|fim_suffix|>{after}<|fim_middle|>"
    result = plan.begin().wait()
    assert result.text == before + result.extra["completion"] + after
    ast.parse(result.text)
    assert "a, b = b, a + b" in result.extra["completion"]


def test_a_gap_in_a_function_ends_with_the_function(model: longra.Model) -> None:
    coding = code(model, before=FIB, after="\n    return a\n\nprint(fib(10))", max_tokens=80)
    assert "print" not in coding.wait().extra["completion"]


def test_names_of_control_tokens_in_code_are_text(model: longra.Model) -> None:
    plan = plan_code(model, before="x = '<|fim_middle|>' + ", after="\n")
    assert plan.tokens.count(infill_of(model).middle) == 1


def test_an_instruction_is_answered_with_code_alone(model: longra.Model) -> None:
    result = code(model, "Write a function double(x).", language="py", max_tokens=60).wait()
    assert "```" not in result.text
    assert "def double(x)" in result.text


@pytest.mark.parametrize(
    ("request_", "language", "begins"),
    [("A function that doubles x.", "python", "def "), ("A Rust function that adds two numbers.", "rust", "fn ")],
)
def test_the_model_names_the_language_where_nobody_else_did(
    model: longra.Model, request_: str, language: str, begins: str
) -> None:
    result = code(model, request_, max_tokens=60).wait()
    assert result.extra["language"] == language
    assert result.text.lstrip().startswith(begins)


def test_a_raw_instruction_is_a_comment(small: longra.Model) -> None:
    plan = plan_code(small, "Add two\nnumbers.", "def add(", chat=False, language="javascript")
    assert plan.prompt == "// Add two\n// numbers.\ndef add("
    assert not plan.whole


def test_a_model_without_the_tokens_says_so(small: longra.Model) -> None:
    with pytest.raises(UsageError, match="no tokens for filling a gap"):
        code(small, before="a", after="b")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, "neither an instruction nor code"),
        ({"request": "a", "after": "b"}, "do not go together"),
        ({"request": "a", "language": "pyton"}, "no language 'pyton'; did you mean python"),
    ],
)
def test_wrong_wishes(small: longra.Model, how: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        code(small, **how)


def test_marks_and_languages() -> None:
    assert split_at_mark("a<FILL_ME>b") == ("a", "b")
    assert split_at_mark("a") == ("a", "")
    with pytest.raises(UsageError, match="2 marks"):
        split_at_mark("<FILL_ME><FILL_ME>")
    assert guess_language("", Path("a.rs")) == language_named("rs")
    assert guess_language("import os\nx = 1") == language_named("python")
    assert guess_language("int main() {") is None


def test_tests_run_in_the_sandbox_by_themselves_and_by_their_functions() -> None:
    good = "def f(x):\n    return x + 1\n"
    assert run_tests(good, "assert f(1) == 2") == (True, "passed")
    assert run_tests(good, "from solution import f as g\ndef test_g():\n    assert g(1) == 2") == (True, "passed")
    passed, reason = run_tests(good, "def test_wrong():\n    assert f(1) == 3, 'not three'")
    assert (passed, reason) == (False, "AssertionError: not three")
    assert run_tests("import socket; socket.create_connection(('127.0.0.1', 9))", "")[0] is False


def test_tries_differ_and_end_with_the_first_that_passes(small: longra.Model) -> None:
    plan = plan_code(small, before="def f(x):\n    return", max_tokens=8, seed=5)
    tried = list(trials(plan, "assert isinstance(f(1), str)", 3, str))
    assert [trial.number for trial in tried] == [1, 2, 3]
    assert [trial.result.seed for trial in tried] == [5, 6, 7]
    assert len({trial.code for trial in tried}) > 1
    assert all(not trial.passed for trial in tried)
    assert [trial.passed for trial in trials(plan, "", 3, str)] == [True]


def test_the_best_of_the_tries_is_the_one_nearest_to_passing(small: longra.Model) -> None:
    result = code(small, before="x = ", max_tokens=1).wait()

    def rank(reason: str, passed: bool = False, parses: bool = True) -> int:
        return Trial(1, result, "", passed, reason, parses).rank

    ranks = [rank("passed", True), rank("AssertionError: 1"), rank("NameError: f"), rank("SyntaxError", parses=False)]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == 4


def test_what_cannot_be_tested_is_refused(small: longra.Model) -> None:
    def plan(language: str) -> CodePlan:
        return plan_code(small, "a", language=language)

    with pytest.raises(UsageError, match="not for rust"):
        check_tests(plan("rust"), "")
    with pytest.raises(UsageError, match="no Python"):
        check_tests(plan("python"), "def")
