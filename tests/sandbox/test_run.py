"""What a program in the sandbox can do, and what the caller learns of it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from longra.errors import SandboxError, UsageError
from longra.sandbox import Limits, check, policy, run_python
from longra.sandbox.syscalls import NUMBERS


def test_an_ordinary_program() -> None:
    code = """
import asyncio, concurrent.futures, decimal, json, os, random, re, shutil, sqlite3, tempfile, time, unittest, zoneinfo

asyncio.run(asyncio.sleep(0.01))
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert list(pool.map(abs, [-1, 2])) == [1, 2]
with tempfile.TemporaryDirectory() as folder:
    with open(f"{folder}/a", "w") as file:
        file.write("a")
    shutil.copy(f"{folder}/a", f"{folder}/b")
    os.rename(f"{folder}/b", f"{folder}/c")
    assert sorted(os.listdir(folder)) == ["a", "c"]
base = sqlite3.connect("base.db")
base.execute("create table t (x)")
base.execute("insert into t values (1)")
base.commit()
assert zoneinfo.ZoneInfo("Asia/Shanghai").key == "Asia/Shanghai"
assert random.random() < 1
os.urandom(8), time.time(), os.getpid()
print(input(), open("data/numbers.txt").read())
if __name__ == "__main__":
    print("你好")
"""
    outcome = run_python(code, stdin="line\n", files={"data/numbers.txt": "1 2"})
    assert outcome.stderr == ""
    assert (outcome.passed, outcome.reason) == (True, "passed")
    assert outcome.stdout == "line 1 2\n你好\n"
    assert 0 < outcome.seconds < 20


def test_what_is_installed_beside_longra_can_be_imported() -> None:
    assert run_python("import numpy; print(numpy.arange(3).sum())").stdout == "3\n"


def test_other_files_can_be_imported() -> None:
    assert run_python("from helper import x; print(x)", files={"helper.py": "x = 5"}).stdout == "5\n"


@pytest.mark.parametrize(
    ("code", "reason", "exit_code", "ended_by"),
    [
        ("import sys; sys.exit(3)", "ended with exit code 3", 3, None),
        ("assert 1 == 2, 'one is not two'", "AssertionError: one is not two", 1, None),
        ("def f(:", "SyntaxError: invalid syntax", 1, None),
        ("import os; os.kill(os.getpid(), 11)", "ended by signal 11 (Segmentation fault)", None, 11),
        ("import os; os.kill(os.getpid(), 40)", "ended by signal 40 (Real-time signal 6)", None, 40),
    ],
)
def test_how_it_ended(code: str, reason: str, exit_code: int | None, ended_by: int | None) -> None:
    outcome = run_python(code)
    assert (outcome.reason, outcome.exit_code, outcome.signal) == (reason, exit_code, ended_by)
    assert (outcome.passed, outcome.limit) == (False, None)


def test_a_traceback_shows_the_program_alone() -> None:
    outcome = run_python("def f():\n    1 / 0\n\nf()\n")
    assert outcome.stderr.splitlines()[:3] == [
        "Traceback (most recent call last):",
        '  File "program.py", line 4, in <module>',
        "    f()",
    ]
    assert "cage" not in outcome.stderr


def test_bytes_that_are_no_text() -> None:
    assert run_python("import sys; sys.stdout.buffer.write(b'a\\xff')").stdout == "a\ufffd"


def test_the_same_order_of_a_set_in_every_run() -> None:
    code = "print({str(i) for i in range(50)})"
    assert run_python(code).stdout == run_python(code).stdout


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "", "program.py"])
def test_files_that_would_land_elsewhere(name: str) -> None:
    with pytest.raises(UsageError):
        run_python("", files={name: ""})


def test_several_at_once() -> None:
    outputs: dict[int, str] = {}

    def one(i: int) -> None:
        outputs[i] = run_python(f"print({i})").stdout

    threads = [threading.Thread(target=one, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outputs == {i: f"{i}\n" for i in range(4)}


def test_it_dies_with_its_caller(tmp_path: Path) -> None:
    code = (
        "from longra.sandbox import run_python\n"
        "run_python(\"import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)\")"
    )
    caller = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)})
    found: list[Path] = []
    while not (found and found[0].read_text()):
        found = list(tmp_path.glob("longra-sandbox-*/pid"))
        time.sleep(0.01)
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    pid = int(found[0].read_text())
    deadline = time.monotonic() + 5
    while _runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_it_ends_when_the_caller_is_interrupted() -> None:
    code = (
        "import os, signal, threading\nfrom longra.sandbox import run_python\n"
        "threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "try:\n    run_python('while True: pass')\n"
        "except KeyboardInterrupt:\n    print('interrupted')\n"
        "try:\n    os.waitpid(-1, os.WNOHANG)\nexcept ChildProcessError:\n    print('no child left')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "interrupted\nno child left\n"


def test_a_sandbox_that_cannot_be_made_runs_nothing(tmp_path: Path) -> None:
    """In a millisecond no Python has started."""
    made = tmp_path / "made"
    with pytest.raises(SandboxError, match="nothing was run"):
        run_python(f"open({str(made)!r}, 'w')", limits=Limits(wall=0.001))
    assert not made.exists()


def test_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    check.cache_clear()
    with pytest.raises(SandboxError, match="this is darwin"):
        run_python("print(1)")
    monkeypatch.undo()
    check.cache_clear()
    assert run_python("print(1)").passed


def test_every_call_of_the_policy_has_a_number() -> None:
    named = {*policy.ALLOWED, *policy.ANSWERED, *policy.checked(1)}
    assert named == set(NUMBERS)
    for column in (0, 1):
        numbers = [pair[column] for pair in NUMBERS.values() if pair[column] is not None]
        assert len(numbers) == len(set(numbers))
