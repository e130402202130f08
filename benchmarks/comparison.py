"""Engines side by side: the same prompts, in turns, medians; and what is measured is kept."""

import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from engine_worker import Job, Speed, Worker, WorkerError
from rows import BASE


class Kept:
    """Measurements in a file, a JSON object a line; without a file, none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path is not None and path.exists() else []
        self._speeds = {_text(entry["of"]): Speed(**entry["speed"]) for entry in map(json.loads, lines)}

    def find(self, of: Mapping[str, Any]) -> Speed | None:
        """The speed of what was measured before."""
        return self._speeds.get(_text(of))

    def add(self, of: Mapping[str, Any], speed: Speed) -> None:
        """Write a measurement down."""
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps({"of": of, "speed": asdict(speed)}) + "\n")


def _text(of: Mapping[str, Any]) -> str:
    return json.dumps(of, sort_keys=True)


class Comparison:
    """Engines that have loaded one model.

    Args:
        model: a GGUF file.
        engines: a name of workers/ -> the interpreter that runs it.
        threads: of each.
        jobs: what will be measured.
        isa: Longra's instruction set, if it is to be forced.
        kept: what need not be measured again.

    Attributes:
        versions: of all that have started, by name.
        left_out: name -> why a peer is not, or no longer, part of it.
    """

    def __init__(
        self, model: Path, engines: Mapping[str, str], threads: int, jobs: Sequence[Job], isa: str | None, kept: Kept
    ) -> None:
        self.versions: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        self._workers: list[Worker] = []
        self._kept = kept
        self._of = {"model": model.stem, "threads": threads}
        room = max(job.context + job.new for job in jobs)
        arguments = [str(model.resolve()), *map(str, (threads, room, max(job.streams for job in jobs)))]
        for name, python in engines.items():
            forced = {"LONGRA_ISA": isa} if isa and name == BASE else {}
            try:
                worker = Worker(name, python, arguments, forced)
            except WorkerError as error:
                self._leave_out(name, f"does not load the model: {error}")
            else:
                self._workers.append(worker)
                self.versions[name] = worker.hello["version"]
        base = self._workers[0].hello
        self._vocabulary: int = base["vocabulary"]
        if room > base["context"]:
            raise SystemExit(f"the model holds {base['context']:,} tokens; {room:,} are asked for, new ones included")

    def measure(self, job: Job, rounds: int) -> dict[str, Speed]:
        """Medians of rounds in which each engine has its turn, by name."""
        speeds: dict[str, list[Speed]] = {worker.name: [] for worker in self._workers}
        for number in range(rounds):
            prompts = self._prompts(job, number)
            for worker in list(self._workers):
                try:
                    speeds[worker.name].append(self._measure(worker, job, number, prompts))
                except WorkerError as error:
                    self._workers.remove(worker)
                    del speeds[worker.name]
                    self._leave_out(worker.name, f"{job.context:,} tokens, {job.streams} streams: {error}")
        return {name: _middle(several) for name, several in speeds.items()}

    def close(self) -> None:
        """End all engines."""
        for worker in self._workers:
            worker.close()

    def _prompts(self, job: Job, number: int) -> list[list[int]]:
        """Random tokens, of which no engine can know a beginning from an earlier round."""
        draw = random.Random(f"{job.context} {job.streams} {number}")
        return [draw.choices(range(self._vocabulary), k=job.context) for _ in range(job.streams)]

    def _measure(self, worker: Worker, job: Job, number: int, prompts: Sequence[Sequence[int]]) -> Speed:
        of = self._of | {"engine": worker.hello["version"], "job": asdict(job), "round": number}
        speed = self._kept.find(of)
        if speed is None:
            speed = worker.measure(job, prompts)
            self._kept.add(of, speed)
        return speed

    def _leave_out(self, name: str, why: str) -> None:
        if name == BASE:
            raise SystemExit(f"{BASE} {why}")
        self.left_out[name] = why
        print(f"{name} is left out: {why}", file=sys.stderr, flush=True)


def _middle(speeds: Sequence[Speed]) -> Speed:
    decoded = [speed.decode for speed in speeds if speed.decode is not None]
    return Speed(median(speed.prefill for speed in speeds), median(decoded) if decoded else None)
