"""Tries until code passes its tests, each in the sandbox."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from longra.errors import UsageError
from longra.tasks.coding.languages import PYTHON

if TYPE_CHECKING:
    from longra.generation.result import Result
    from longra.tasks.coding.coding import CodePlan

BOLD = 0.8
"""Temperature of later tries where the first is greedy: it would be the same code again."""

_CALLS = """

for _name, _test in sorted(globals().items()):
    if _name.startswith("test_") and callable(_test):
        _test()
"""


@dataclass(frozen=True)
class Trial:
    """A try.

    Attributes:
        number: counted from 1.
        result: what the model wrote.
        code: what was run, tidied.
        passed: all the tests.
        reason: why not, in a few words; "passed" if it did.
        parses: whether it is Python at all.
    """

    number: int
    result: "Result"
    code: str
    passed: bool
    reason: str
    parses: bool

    @property
    def rank(self) -> int:
        """The higher the better: passed, failed in what a test asserts, failed otherwise, is no Python."""
        return 3 if self.passed else 0 if not self.parses else 2 if self.reason.startswith("AssertionError") else 1

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {"number": self.number, "passed": self.passed, "reason": self.reason, "seed": self.result.seed}


def run_tests(code: str, tests: str) -> tuple[bool, str]:
    """Whether code passes tests, and how it ended, in a few words.

    Args:
        code: Python.
        tests: Python that knows the code's names, and can import it as `solution` too. It passes if nothing is raised,
            by itself and by its functions `test_...`, which are called without arguments.

    Raises:
        SandboxError: this machine has no sandbox.
    """
    from longra.sandbox import run_python

    outcome = run_python(f"{code}\n\n{tests}\n{_CALLS}", files={"solution.py": code})
    return outcome.passed, outcome.reason


def check_tests(plan: "CodePlan", tests: str) -> None:
    """Make sure that tests can be run on what is about to be written.

    Raises:
        UsageError: the code is in another language, or the tests are no Python.
        SandboxError: this machine has no sandbox.
    """
    from longra.sandbox import check

    check()
    if plan.language is not None and plan.language != PYTHON:
        raise UsageError(f"tests are run for python, not for {plan.language.name}")
    if not _parses(tests):
        raise UsageError("the tests are no Python; see `python -m py_compile FILE`")


def trials(plan: "CodePlan", tests: str, tries: int, finish: Callable[[str], str]) -> Iterator[Trial]:
    """Tries, one after the other, up to the first that passes.

    Args:
        tests: see `run_tests`.
        tries: at most.
        finish: tidies code.
    """
    for number in range(tries):
        result = _bolder(plan, number).begin(number).wait()
        code = finish(result.text)
        passed, reason = run_tests(code, tests)
        yield Trial(number + 1, result, code, passed, reason, _parses(code))
        if passed:
            return


def _bolder(plan: "CodePlan", number: int) -> "CodePlan":
    if number == 0 or not plan.config.greedy:
        return plan
    return replace(plan, config=replace(plan.config, temperature=BOLD))


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
