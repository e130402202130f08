"""An engine in a process of its own, and how fast it is."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BENCHMARKS = Path(__file__).parent


class WorkerError(Exception):
    """An engine did not start, or ended."""


@dataclass(frozen=True)
class Job:
    """One piece of work.

    Attributes:
        context: tokens of each prompt.
        streams: prompts at once.
        new: tokens that each gets.
    """

    context: int
    streams: int
    new: int


@dataclass(frozen=True)
class Speed:
    """Tokens a second.

    Attributes:
        prefill: of all prompts, to the last one's first new token.
        decode: of all streams together, while all of them decode; None if one token was asked for.
    """

    prefill: float
    decode: float | None


def speed(job: Job, seconds: Sequence[Sequence[float]]) -> Speed:
    """From the times at which the new tokens of each stream came, counted from when the prompts were given.

    Raises:
        WorkerError: a stream has another number of tokens, or ended before the last one began.
    """
    if [len(times) for times in seconds] != [job.new] * job.streams:
        raise WorkerError(f"{[len(times) for times in seconds]} tokens came, not {job.new} for each of {job.streams}")
    start, end = max(times[0] for times in seconds), min(times[-1] for times in seconds)
    prefill = job.context * job.streams / start
    if job.new == 1:
        return Speed(prefill, None)
    if end <= start:
        raise WorkerError("a stream ended before the last one began; ask for more tokens (--new)")
    return Speed(prefill, sum(start < time <= end for times in seconds for time in times) / (end - start))


class Worker:
    """Runs workers/NAME.py: one JSON line in, one out (workers/protocol.py).

    Attributes:
        hello: what it says of itself: its "version"; Longra also "vocabulary" and "context" of the model.

    Raises:
        WorkerError: it cannot be started, or cannot read the model.
    """

    def __init__(self, name: str, python: str, arguments: Sequence[str], environment: dict[str, str]) -> None:
        self.name = name
        own = {"PYTHONPATH": str(_BENCHMARKS)}
        try:
            self.process = subprocess.Popen(
                [python, "-m", f"workers.{name}", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | own | environment,
            )
        except OSError as error:
            raise WorkerError(f"{python}: {error.strerror}") from None
        self.hello = self._read()

    def measure(self, job: Job, prompts: Sequence[Sequence[int]]) -> Speed:
        """Have the prompts, all of job.context tokens, continued.

        Raises:
            WorkerError: the engine ended, or did not do what was asked for.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"prompts": prompts, "new": job.new}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; reading says how
        return speed(job, self._read()["seconds"])

    def close(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.communicate()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise WorkerError(f"ended with exit code {self.process.wait()}")
