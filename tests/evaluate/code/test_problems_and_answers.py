"""Problems, prompts, and what counts as passing."""

import gzip
import json
from pathlib import Path

import pytest

from longra.errors import LongraError, UsageError
from longra.evaluate.code.check import check
from longra.evaluate.code.forms import Completion, Instruct, definitions
from longra.evaluate.code.problems import Problem, human_eval, read_problems
from longra.evaluate.code.run import Answer, score, wanted_answers

ADD = Problem(
    "own/add",
    "import math\n\n\ndef add(a, b):\n    '''The sum.'''\n",
    "add",
    "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(math.inf, 1) == math.inf\n",
)
ROW = {"task_id": "1", "prompt": "p", "entry_point": "f", "test": "t", "more": 1}


def test_human_eval_is_whole() -> None:
    problems = read_problems(human_eval())
    assert len(problems) == 164
    assert (problems[0].task_id, problems[0].entry_point) == ("HumanEval/0", "has_close_elements")


def test_human_evals_own_solutions_pass() -> None:
    number = 32  # its tests call a helper that the problem gives
    rows = [json.loads(line) for line in gzip.decompress(human_eval().read_bytes()).decode().splitlines()]
    problem = read_problems(human_eval())[number]
    solution = rows[number]["canonical_solution"]
    assert check(problem, Completion().parts(problem, solution)) == (True, "passed")
    assert check(problem, Instruct().parts(problem, problem.prompt + solution)) == (True, "passed")
    assert not check(problem, Completion().parts(problem, "    return None\n"))[0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("def add(a, b):\n    return a + b", "passed"),
        (
            "from __future__ import annotations\ndef add(a, b):\n    return a + b\nif __name__ == '__main__': 1 / 0",
            "passed",
        ),
        ("def add(a, b):\n    return a - b", "AssertionError"),
        ("def add(a, b", "SyntaxError: '(' was never closed"),
        ("def add(a, b):\n    return a + b\n\nassert add(1, 1) == 3\nraise SystemExit", "passed"),
        ("def add(a, b):\n    import os\n    os._exit(0)", "ended before its tests"),
        ("def add(a, b):\n    raise SystemExit(3)", "ended with exit code 3"),
        ("import os\ndef add(a, b):\n    os.fork()", "PermissionError: [Errno 1] Operation not permitted"),
        ("add = None", "TypeError: 'NoneType' object is not callable"),
    ],
)
def test_what_passes(answer: str, reason: str) -> None:
    assert check(ADD, Instruct().parts(ADD, answer)) == (reason == "passed", reason)


def test_what_a_script_defines() -> None:
    script = "import re\nX = 1\n\n@cache\ndef f():\n    return X\n\nassert f() == 2\nprint(f())\nfor i in x: f()\nThis is it."
    assert definitions(script) == "import re\nX = 1\n\n@cache\ndef f():\n    return X"
    assert definitions("I cannot (") == "I cannot ("


def test_a_packed_file_that_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl.gz"
    packed = bytearray(gzip.compress(b"\xef\xbb\xbf" + json.dumps(ROW).encode()))
    file.write_bytes(packed)
    assert read_problems(file) == [Problem("1", "p", "f", "t")]
    packed[10] ^= 0xFF
    file.write_bytes(packed)
    with pytest.raises(LongraError, match=r"cannot read .*own\.jsonl\.gz: Error -3 while decompressing"):
        read_problems(file)


def test_own_problems(tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    row = dict(ROW)
    file.write_text(json.dumps(row) + "\n\n")
    assert read_problems(file) == [Problem("1", "p", "f", "t")]
    file.write_text((json.dumps(row) + "\n") * 2)
    with pytest.raises(UsageError, match='holds "1" twice'):
        read_problems(file)
    del row["test"]
    file.write_text(json.dumps(row))
    with pytest.raises(LongraError, match="line 1 has no text in 'test'"):
        read_problems(file)
    file.write_text("")
    with pytest.raises(UsageError, match="holds no problem"):
        read_problems(file)
    with pytest.raises(LongraError, match="cannot read"):
        read_problems(tmp_path / "none.jsonl")


def answer(task: str, sample: int, passed: bool) -> Answer:
    return Answer(task, sample, "", passed, "", 1, "stop")


def test_the_score_is_the_mean_over_problems() -> None:
    found = [answer("a", 0, True), answer("a", 1, False), answer("b", 0, False), answer("b", 1, False)]
    assert score(found, 1)[0] == pytest.approx(25.0)
    assert score(found, 2)[0] == pytest.approx(50.0)
    assert score(found, 1)[1].margin > 0


def test_only_what_is_missing_is_asked_for() -> None:
    other = Problem("own/2", "", "f", "")
    assert wanted_answers([ADD, other], 2, [answer("own/add", 0, True)]) == [(other, 0), (ADD, 1), (other, 1)]
