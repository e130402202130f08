"""Whether an answer passes its problem's tests, found out in the sandbox."""

from collections.abc import Sequence

from longra.evaluate.code.problems import Problem
from longra.sandbox import Limits, Outcome, run_python

LIMITS = Limits(cpu=3, wall=30, memory=1_000_000_000)
"""HumanEval's own runner gives 3 seconds; here they are of processor time, so that a busy machine fails nobody."""

_PASSED = 77
"""The exit code of a program that came through all tests: one that ends early, even with 0, has not passed."""

_RUNNER = """
import sys
import types

answer = sys.modules["answer"] = types.ModuleType("answer")
for name in {names!r}:
    with open(name, encoding="utf-8") as file:
        exec(compile(file.read(), name, "exec"), answer.__dict__)
answer.check(getattr(answer, {entry_point!r}))
sys.exit({passed})
"""


def check(problem: Problem, parts: Sequence[str]) -> tuple[bool, str]:
    """Run an answer's parts and the tests, one after the other, in one namespace.

    Returns:
        Whether it passed, and how it ended: "passed", "AssertionError", "took too much processor time".

    Raises:
        SandboxError: this machine cannot run it safely.
    """
    names = [f"part{i}.py" for i in range(1, len(parts) + 1)] + ["tests.py"]
    files = dict(zip(names, [*parts, problem.test], strict=True))
    source = _RUNNER.format(names=names, entry_point=problem.entry_point, passed=_PASSED)
    outcome = run_python(source, limits=LIMITS, files=files)
    passed = outcome.limit is None and outcome.exit_code == _PASSED
    return passed, "passed" if passed else _reason(outcome)


def _reason(outcome: Outcome) -> str:
    if outcome.limit is None and outcome.exit_code == 0:
        return "ended before its tests"
    return outcome.reason
