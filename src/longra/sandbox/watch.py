"""What the kernel does not bound for one process: its threads, all that it writes, the files in its folder."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

from longra.sandbox.limits import Limit, Limits


def excess(pid: int, folder: Path, outputs: tuple[int, int], limits: Limits) -> Limit | None:
    """What the process, which has not been waited for, has too much of by now.

    Args:
        folder: its own folder.
        outputs: descriptors of the files that take its stdout and stderr.
    """
    if _cpu_seconds(pid) >= limits.cpu:
        return "cpu"
    if any(os.fstat(fd).st_size > limits.output for fd in outputs):
        return "output"
    if _written(pid) > limits.written:
        return "written"
    if _field(pid, "status", "Threads") > limits.threads:
        return "threads"
    if any(count > limits.files for count, _ in enumerate(_entries(folder), 1)):
        return "files"
    return None


def _cpu_seconds(pid: int) -> float:
    """Processor time of all threads: the fields utime and stime, the 14th and 15th of /proc/PID/stat."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return sum(map(int, after_name[11:13])) / os.sysconf("SC_CLK_TCK")


def _written(pid: int) -> float:
    """Bytes written so far; without bound where nobody can tell, 0 for a process that has just ended."""
    try:
        return _field(pid, "io", "wchar")
    except PermissionError:  # the first thread has ended, and the figure is root's alone
        return 0 if _field(pid, "status", "Threads") == 1 else math.inf


def _field(pid: int, file: str, name: str) -> int:
    """A number from /proc/PID/FILE, whose lines are `name: number`."""
    lines = Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8", errors="replace").splitlines()
    return next(int(value) for key, _, value in (line.partition(":") for line in lines) if key == name)


def _entries(folder: Path) -> Iterator[None]:
    """One for each thing in the folder or deeper. What vanishes or cannot be listed while we look is passed over."""
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    yield None
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:
            continue
