"""What a program in the sandbox cannot do at all. Each attempt is made for real, and must be refused."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from longra.sandbox import run_python

_CLONE = {"x86_64": 56, "aarch64": 220}[os.uname().machine]


def refusals(attempts: list[str], **names: object) -> dict[str, str]:
    """What each attempt, a statement, ends with in the sandbox: the name of an error, or "nothing".

    Args:
        names: variables that the attempts may use.
    """
    program = f"""
import ctypes, fcntl, mmap, os, resource, signal, socket, subprocess, urllib.request

libc = ctypes.CDLL(None, use_errno=True)
me = os.getpid()

def made(result):  # -1 is how the C library says no
    if result < 0:
        raise OSError(ctypes.get_errno(), "")

globals().update({names!r})
for attempt in {attempts!r}:
    try:
        exec(attempt)
        error = "nothing"
    except Exception as caught:
        error = type(caught).__name__
    if os.getpid() != me:  # an attempt to fork has worked
        os._exit(1)
    print(error)
"""
    outcome = run_python(program)
    assert outcome.passed, outcome.stderr
    return dict(zip(attempts, outcome.stdout.split(), strict=True))


def all_refused(attempts: list[str], **names: object) -> bool:
    """Whether each attempt ends with "not permitted" (or, for moves across its border, another error of the system)."""
    ended = refusals(attempts, **names)
    assert {a: e for a, e in ended.items() if e not in ("PermissionError", "OSError", "URLError")} == {}
    return True


def test_no_second_process() -> None:
    assert all_refused(
        [
            "os.fork()",
            "os.posix_spawn('/bin/true', ['true'], {})",
            "os.execv('/bin/true', ['true'])",
            "subprocess.run(['true'])",
            "subprocess.Popen('sleep 60 &', shell=True, start_new_session=True)",  # a daemon
            f"made(libc.syscall({_CLONE}, 17, 0, 0, 0, 0))",  # as fork does it
            f"made(libc.syscall({_CLONE}, 0x4111, 0, 0, 0, 0))",  # as vfork does it
        ]
    )


def test_no_network() -> None:
    assert all_refused(
        [
            "socket.socket()",
            "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
            "socket.socket(socket.AF_UNIX)",
            "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
            "socket.socketpair()[0].connect('/dev/log')",
            "urllib.request.urlopen('http://127.0.0.1')",
        ]
    )


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the same user."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_no_way_to_other_processes(victim: subprocess.Popen[bytes]) -> None:
    assert all_refused(
        [
            "os.kill(pid, 9)",
            "os.kill(pid, signal.SIGSTOP)",
            "os.kill(os.getppid(), 0)",
            "os.kill(0, 0)",
            "os.kill(-1, 0)",
            "os.killpg(os.getpgid(pid), 0)",
            "signal.pidfd_send_signal(os.pidfd_open(pid), 9)",
            "fcntl.fcntl(1, fcntl.F_SETOWN, pid)",  # whom the kernel sends SIGIO
            "resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1))",
            "os.setpriority(os.PRIO_PROCESS, pid, 19)",
            "os.sched_setaffinity(pid, {0})",
            "made(libc.ptrace(0x4206, pid, 0, 0))",  # PTRACE_SEIZE
            "made(libc.process_vm_readv(pid, None, 0, None, 0, 0))",
            "open(f'/proc/{pid}/environ').read()",
            "open(f'/proc/{pid}/mem', 'rb')",
            "os.readlink(f'/proc/{pid}/fd/0')",
            "open('/dev/tty')",
        ],
        pid=victim.pid,
    )
    assert victim.poll() is None
    assert ") S" in Path(f"/proc/{victim.pid}/stat").read_text()  # it sleeps, and is not stopped


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of the user's own that is none of the program's business."""
    file = tmp_path / "diary.txt"
    file.write_text("private")
    file.chmod(0o600)
    return file


def test_no_file_outside(outside: Path) -> None:
    assert all_refused(
        [
            "open(path).read()",
            "open(os.path.relpath(path)).read()",
            "os.listdir(folder)",
            "open(path, 'w')",
            "open(path, 'a')",
            "os.open(path, os.O_RDONLY | os.O_TRUNC)",
            "os.truncate(path, 0)",
            "os.unlink(path)",
            "os.rename(path, path + '2')",
            "os.rename(path, 'moved')",
            "os.rename('program.py', folder + '/new')",
            "os.link(path, 'hard')",
            "(os.symlink(path, 'soft'), open('soft', 'r'))",
            "open('soft', 'w')",
            "(os.symlink(folder, 'way'), open('way/new', 'w'))",
            "open('way/../new', 'w')",
            "open(folder + '/new', 'w')",
            "os.mkdir(folder + '/new')",
            "os.symlink('x', folder + '/new')",
            "os.mkfifo(folder + '/new')",
            "os.mknod(folder + '/new')",
            "os.setxattr(path, 'user.x', b'1')",
            "os.chown(path, 1, 1)",
            "os.chroot('.')",
        ],
        path=str(outside),
        folder=str(outside.parent),
    )
    assert outside.read_text() == "private"
    assert list(outside.parent.iterdir()) == [outside]


def test_no_memory_that_nobody_counts() -> None:
    assert all_refused(
        [
            "os.memfd_create('x')",
            "open('/dev/shm/longra-test', 'w')",
            "made(libc.shmget(0, 4096, 0o1600))",
            "made(libc.msgget(0, 0o1600))",
            "f = open('x', 'wb+'); f.truncate(4096); mmap.mmap(f.fileno(), 4096)",
            "made(libc.fallocate(f.fileno(), 0, 0, 4096))",
            "fcntl.fcntl(os.pipe()[0], 1031, 1 << 20)",  # F_SETPIPE_SZ
        ]
    )


def test_modes_and_times_outside_stay(outside: Path) -> None:
    os.utime(outside, (1000, 1000))
    code = "import os; os.chmod({0!r}, 0o777); os.utime({0!r}); fd = os.open(os.__file__, 0); os.fchmod(fd, 0o744)"
    library = Path(os.__file__)
    mode = library.stat().st_mode
    assert run_python(code.format(str(outside))).passed
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600
    assert outside.stat().st_mtime == 1000
    assert library.stat().st_mode == mode


def test_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    outcome = run_python("import os; print('HF_TOKEN' in os.environ, os.environ['HOME'] == os.getcwd())")
    assert outcome.stdout == "False True\n"


def test_no_inherited_files(outside: Path) -> None:
    with outside.open() as file:
        os.set_inheritable(file.fileno(), True)
        code = "import os\nfor fd in range(3, 200):\n    try: print(fd, os.fstat(fd))\n    except OSError: pass"
        assert run_python(code).stdout == ""


def test_no_capabilities() -> None:
    outcome = run_python("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (2**16, 2**16))")
    assert outcome.reason == "ValueError: not allowed to raise maximum limit"
