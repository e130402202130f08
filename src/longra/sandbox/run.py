"""The side of the sandbox that is outside: starts the process, watches it, ends it, and tells what became of it."""

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO

from longra.errors import SandboxError, UsageError
from longra.sandbox.folder import own_folder
from longra.sandbox.limits import Limit, Limits
from longra.sandbox.orders import PROGRAM, Orders
from longra.sandbox.outcome import Outcome

_PACKAGES = Path(__file__).parents[2]
_START = "import sys; sys.path.append(sys.argv[1]); from longra.sandbox.cage import main; sys.path.pop(); main()"
_PYTHON = [sys.executable, "-s", "-P", "-B", "-X", "utf8", "-c", _START, str(_PACKAGES)]
_ROUND_MS = 20
"""Between two looks at a program. What it can do in that time is by how much it can pass a limit."""


@cache
def check() -> None:
    """Make sure that this machine can hold a program in.

    Raises:
        SandboxError: it cannot; the message says what is missing.
    """
    if sys.platform != "linux":
        raise SandboxError(
            f"programs are run only in a sandbox, and it is made of Linux mechanisms; this is {sys.platform}"
        )
    from longra.sandbox import landlock, seccomp

    if not seccomp.knows_machine():
        raise SandboxError(f"the sandbox knows x86_64 and aarch64, and this is {os.uname().machine}")
    if landlock.version() < 1:
        raise SandboxError(
            "the sandbox needs Landlock, which this kernel lacks or has off: Linux 5.13 or later, with landlock among "
            "the modules of /sys/kernel/security/lsm"
        )
    if not Path("/proc/self/io").exists():
        raise SandboxError(
            "the sandbox needs /proc with what each process has written (/proc/self/io), which is missing"
        )


def run_python(
    source: str, *, limits: Limits | None = None, stdin: str = "", files: Mapping[str, str] | None = None
) -> Outcome:
    """Run a Python program in the sandbox, and wait for its end.

    It runs in a new process with this Python and the packages that are installed beside it, in a new folder, which is
    deleted afterwards. It has no network and no other process, and cannot start one.

    Args:
        source: the program, as `program.py` would hold it.
        limits: what it may take; `Limits()` unless given.
        stdin: what it can read from standard input.
        files: what its folder holds besides, relative path -> text.

    Raises:
        SandboxError: this machine cannot hold a program in, or the sandbox could not be made. Nothing was run.
        UsageError: a file's path leads out of the folder, or is the program's own.
    """
    check()
    limits = limits or Limits()
    files = files or {}
    if PROGRAM in files:
        raise UsageError(f"{PROGRAM} is the program itself; give the other file another name")
    with own_folder({PROGRAM: source, **files}) as folder, _stream(stdin) as read, _stream() as out, _stream() as err:
        return _run(folder, limits, read, out, err)


def _stream(content: str = "") -> IO[bytes]:
    """A nameless file for a standard stream: it needs nobody to feed or empty it while the program runs."""
    file = tempfile.TemporaryFile(prefix="longra-sandbox-")  # noqa: SIM115 (closed by run_python)
    file.write(content.encode("utf-8", "surrogatepass"))
    file.seek(0)
    return file


def _run(folder: Path, limits: Limits, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]) -> Outcome:
    ready, told = os.pipe()
    orders = Orders(limits, os.getpid(), told)
    started = time.monotonic()
    with os.fdopen(ready, "rb") as ready_file:
        try:
            process = subprocess.Popen(
                [*_PYTHON, orders.as_text()],
                cwd=folder,
                env=_environment(folder),
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=[told],
                start_new_session=True,
            )
        finally:
            os.close(told)
        limit, status, cpu = _watch(process, folder, (stdout.fileno(), stderr.fileno()), limits)
        seconds = time.monotonic() - started
        locked = ready_file.read() != b""
    printed, complaints = (_read(file, limits.output) for file in (stdout, stderr))
    if not locked:
        cause = complaints.rstrip().rpartition("\n")[2] or f"it ended with status {status} after {seconds:.1f} s"
        raise SandboxError(f"the sandbox could not be made, and nothing was run: {cause}")
    if status == 1 and complaints.rstrip().rpartition("\n")[2].startswith("MemoryError"):
        limit = limit or "memory"
    exit_code, signal_number = (status, None) if status >= 0 else (None, -status)
    return Outcome(exit_code, signal_number, limit, printed, complaints, seconds, cpu)


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the caller's. The hash seed is fixed, so that sets have the same order in every run."""
    home = str(folder)
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    arenas = {"MALLOC_ARENA_MAX": "2"}  # each thread's own would take 64 MB of the address space
    return {
        **{"PATH": os.defpath, "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"},
        **one_thread,
        **arenas,
    }


def _watch(
    process: "subprocess.Popen[bytes]", folder: Path, outputs: tuple[int, int], limits: Limits
) -> tuple[Limit | None, int, float]:
    """Wait for the end, or make it: the limit passed, the exit code (minus the signal), seconds of processor time."""
    from longra.sandbox.watch import excess

    deadline = time.monotonic() + limits.wall
    limit: Limit | None = None
    ended = select.poll()
    descriptor = os.pidfd_open(process.pid)
    ended.register(descriptor, select.POLLIN)
    try:
        running = True
        while running and limit is None:
            running = not ended.poll(_ROUND_MS)
            limit = excess(process.pid, folder, outputs, limits)
            if running and limit is None and time.monotonic() > deadline:
                limit = "wall"
    finally:
        os.close(descriptor)
        os.kill(process.pid, signal.SIGKILL)  # it is not waited for yet, so the number is still its own
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return limit, process.returncode, usage.ru_utime + usage.ru_stime


def _read(file: IO[bytes], size: int) -> str:
    file.seek(0)
    return file.read(size).decode("utf-8", "replace")
