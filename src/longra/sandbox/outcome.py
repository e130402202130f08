"""How a program in the sandbox ended."""

import signal
from dataclasses import dataclass

from longra.sandbox.limits import Limit


@dataclass(frozen=True)
class Outcome:
    """How a program ended.

    Args:
        exit_code: what it ended with; None if a signal ended it.
        signal: number of the signal that ended it, the sandbox's own SIGKILL among them; None if none did.
        limit: the limit that it hit; None if it ended by itself.
        stdout, stderr: what it printed, at most `Limits.output` bytes of each; bytes that are not UTF-8 become U+FFFD.
        seconds: from its start to its end.
        cpu_seconds: processor time.
    """

    exit_code: int | None
    signal: int | None
    limit: Limit | None
    stdout: str
    stderr: str
    seconds: float
    cpu_seconds: float

    @property
    def passed(self) -> bool:
        """Whether it ended by itself, with exit code 0."""
        return self.exit_code == 0 and self.limit is None

    @property
    def reason(self) -> str:
        """How it ended, in a few words: "passed", "AssertionError: 3 != 4", "took too much processor time"."""
        if self.limit is not None:
            return _LIMITS[self.limit]
        if self.signal is not None:
            return f"ended by signal {self.signal} ({signal.strsignal(self.signal)})"
        if self.exit_code == 0:
            return "passed"
        last = self.stderr.rstrip().rpartition("\n")[2]
        return last or f"ended with exit code {self.exit_code}"


_LIMITS: dict[Limit, str] = {
    "cpu": "took too much processor time",
    "wall": "took too long",
    "memory": "took too much memory",
    "written": "wrote too much",
    "output": "printed too much",
    "files": "made too many files",
    "threads": "started too many threads",
}
