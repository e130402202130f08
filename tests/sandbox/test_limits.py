"""What a program in the sandbox can have too much of. Limits are small here, so that a failing test does no harm."""

from pathlib import Path

import pytest

from longra.errors import UsageError
from longra.sandbox import Limits, run_python

_MB = 1_000_000


def test_an_endless_loop() -> None:
    outcome = run_python("while True: pass", limits=Limits(cpu=1))
    assert outcome.limit == "cpu"
    assert not outcome.passed
    assert 1 <= outcome.cpu_seconds < 1.5


def test_an_endless_loop_that_ignores_signals() -> None:
    ignoring = "import signal\nfor s in signal.Signals:\n    if s not in (9, 19): signal.signal(s, signal.SIG_IGN)\n"
    assert run_python(ignoring + "while True: pass", limits=Limits(wall=0.4)).limit == "wall"


@pytest.mark.parametrize("code", ["import time; time.sleep(60)", "import os; os.kill(os.getpid(), 19)"])
def test_no_end(code: str) -> None:
    outcome = run_python(code, limits=Limits(wall=0.3))
    assert outcome.limit == "wall"
    assert outcome.seconds < 5


def test_a_fork_bomb() -> None:
    """It comes to nothing, however often it tries."""
    code = "import os\nfor _ in range(10_000):\n    try: os.fork()\n    except PermissionError: pass\nprint('one')"
    assert run_python(code, limits=Limits(wall=5)).stdout == "one\n"


def test_a_thread_bomb() -> None:
    code = (
        "import threading, time\nthreading.stack_size(32768)\n"
        "while True:\n    try: threading.Thread(target=time.sleep, args=(60,)).start()\n    except RuntimeError: pass"
    )
    assert run_python(code, limits=Limits(memory=200 * _MB, threads=8, wall=5)).limit == "threads"


@pytest.mark.parametrize(
    "code",
    [
        "x = []\nwhile True: x.append(bytearray(10**7))",
        # shared memory without a file counts like any other
        "import mmap\nx = []\ntry:\n    while True: x.append(mmap.mmap(-1, 10**7))\nexcept OSError: raise MemoryError",
    ],
)
def test_a_memory_bomb(code: str) -> None:
    outcome = run_python(code, limits=Limits(memory=200 * _MB))
    assert outcome.limit == "memory"
    assert outcome.reason == "took too much memory"


def test_huge_output_is_bounded_and_told() -> None:
    outcome = run_python("while True: print('x' * 1000)", limits=Limits(output=10_000, written=20 * _MB))
    assert outcome.limit == "output"
    assert len(outcome.stdout) == 10_000


def test_output_that_ends_before_anyone_looks_is_bounded_too() -> None:
    outcome = run_python("print('x' * 20_000)", limits=Limits(output=10_000))
    assert (outcome.limit, outcome.passed, len(outcome.stdout)) == ("output", False, 10_000)


def test_a_large_file() -> None:
    outcome = run_python("open('x', 'wb').write(bytes(4_000_000))", limits=Limits(written=1 * _MB))
    assert outcome.reason == "OSError: [Errno 27] File too large" or outcome.limit == "written"


@pytest.mark.parametrize(
    "after",
    [
        "os.unlink(str(i))",  # what is deleted was written all the same
        "kept.append(mmap.mmap(f.fileno(), 4096, mmap.MAP_PRIVATE)); os.unlink(str(i)); f.close()",  # and may live on, unseen
    ],
)
def test_many_files_that_fill_the_disk(after: str) -> None:
    code = (
        "import mmap, os\nkept = []\nfor i in range(10**6):\n"
        f"    f = open(str(i), 'wb+'); f.write(bytes(10**6)); f.flush(); {after}\n"
    )
    assert run_python(code, limits=Limits(written=3 * _MB)).limit == "written"


def test_many_empty_files() -> None:
    code = "import os, itertools\nfor i in itertools.count(): os.mkdir(str(i))"
    assert run_python(code, limits=Limits(files=100)).limit == "files"


def test_limits_are_above_zero() -> None:
    with pytest.raises(UsageError, match="limit cpu is 0"):
        Limits(cpu=0)


def test_nothing_of_it_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    nested = "import os\nfor _ in range(1100):\n    os.mkdir('d'); os.chdir('d')"
    closed = "import os; os.mkdir('a'); open('a/b', 'w'); os.mkdir('c', mode=0)"
    for code in (nested, closed):
        run_python(code, limits=Limits(files=10_000))
        assert list(tmp_path.iterdir()) == []
