"""Longra beside its peers on one model file: the same work, interleaved, in one run; prints medians and ratios.

    python benchmarks/compare.py MODEL.gguf --prefill 512 --decode-at 32,8000 --peer xllamacpp=PYTHON [--peer openvino=PYTHON]

PYTHON is the interpreter of an environment that has the peer:

    xllamacpp       pip install xllamacpp
    openvino        pip install openvino-genai
    transformers    pip install transformers torch gguf accelerate

Each engine is a process of its own that loads the model once and measures on command, so that rounds can alternate. All
use the same number of threads, random prompt tokens, greedy decoding, one stream, their own best reasonable settings. A
peer that cannot read the file, or ends while it measures, is named and left out from there on.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

WORKERS = Path(__file__).parent / "workers"
PEERS = sorted(path.stem for path in WORKERS.glob("*.py") if path.stem != "longra")

Result = dict[str, Any]


class WorkerError(Exception):
    """An engine did not start, or ended."""


class Worker:
    """An engine in its own process: one JSON line in, one out.

    Raises:
        WorkerError: it cannot be started, or cannot read the model.
    """

    def __init__(self, name: str, python: str, arguments: list[str], environment: dict[str, str]) -> None:
        self.name = name
        command = [python, str(WORKERS / f"{name}.py"), *arguments]
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | environment
            )
        except OSError as error:
            raise WorkerError(f"{python}: {error.strerror}") from None
        self.version = self._read()["version"]

    def measure(self, kind: str, context: int) -> float:
        """Tokens a second.

        Raises:
            WorkerError: the engine ended.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"kind": kind, "context": context}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; reading says how
        return float(self._read()["tokens_per_second"])

    def close(self) -> None:
        """End the process."""
        self.process.communicate()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise WorkerError(f"ended with exit code {self.process.wait()}")


class Comparison:
    """Engines side by side.

    Attributes:
        workers: those that still run; Longra's is the first.
        versions: of all that have started.
        left_out: why a peer is not, or no longer, part of it.
    """

    def __init__(self, engines: dict[str, str], arguments: list[str], isa: str | None) -> None:
        self.workers: list[Worker] = []
        self.versions: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        for name, python in engines.items():
            try:
                forced = {"LONGRA_ISA": isa} if isa and name == "longra" else {}
                worker = Worker(name, python, arguments, forced)
            except WorkerError as error:
                self._leave_out(name, f"does not load the model: {error}")
            else:
                self.workers.append(worker)
                self.versions[name] = worker.version

    def measure(self, kind: str, context: int, rounds: int) -> Result:
        """Medians of interleaved rounds, and how many times a peer's speed Longra's is."""
        speeds: dict[str, list[float]] = {worker.name: [] for worker in self.workers}
        for _ in range(rounds):
            for worker in list(self.workers):
                try:
                    speeds[worker.name].append(worker.measure(kind, context))
                except WorkerError as error:
                    self.workers.remove(worker)
                    del speeds[worker.name]
                    self._leave_out(worker.name, f"{kind} {context:,}: {error}")
        middle = {name: median(values) for name, values in speeds.items()}
        ratios = {name: middle["longra"] / value for name, value in middle.items() if name != "longra"}
        return {"kind": kind, "context": context, "tokens_per_second": middle, "ratio": ratios}

    def close(self) -> None:
        """End all engines."""
        for worker in self.workers:
            worker.close()

    def _leave_out(self, name: str, why: str) -> None:
        if name == "longra":
            raise SystemExit(f"longra {why}")
        self.left_out[name] = why
        print(f"{name} is left out: {why}", file=sys.stderr, flush=True)


def main() -> None:
    """Run the comparison."""
    arguments = _arguments()
    jobs = [("prefill", n) for n in arguments.prefill] + [("decode", n) for n in arguments.decode_at]
    context = max(n for _, n in jobs) + 256
    comparison = Comparison(
        {"longra": sys.executable} | dict(arguments.peer),
        [arguments.model, str(arguments.threads), str(context)],
        arguments.isa,
    )
    results = []
    for kind, n in jobs:
        results.append(comparison.measure(kind, n, arguments.rounds))
        if not arguments.json and not arguments.markdown:
            print(_line(results[-1]), flush=True)
    comparison.close()
    facts = {"versions": comparison.versions, "left_out": comparison.left_out, "threads": arguments.threads}
    if arguments.json:
        print(json.dumps(facts | {"isa": arguments.isa, "results": results}))
    elif arguments.markdown:
        print(_markdown(Path(arguments.model).stem, comparison.versions, results))
    else:
        print(facts)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--prefill", type=_numbers, default=[512])
    parser.add_argument("--decode-at", type=_numbers, default=[32, 8000])
    parser.add_argument("--peer", type=_peer, action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--isa", help="force Longra's instruction set (LONGRA_ISA); peers choose their own")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--markdown", action="store_true", help="a table for docs/performance.md")
    arguments = parser.parse_args()
    if not arguments.prefill + arguments.decode_at:
        parser.error("nothing to measure; give --prefill or --decode-at")
    return arguments


def _numbers(text: str) -> list[int]:
    numbers = [int(word) for word in text.split(",") if word]
    if any(number < 1 for number in numbers):
        raise argparse.ArgumentTypeError(f"{text!r} has a number below 1")
    return numbers


def _peer(text: str) -> tuple[str, str]:
    name, _, python = text.partition("=")
    if name not in PEERS or not python:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PYTHON with a NAME of {', '.join(PEERS)}")
    return name, python


def _line(result: Result) -> str:
    shown = "  ".join(f"{name} {value:,.1f}" for name, value in result["tokens_per_second"].items())
    ratios = "  ".join(f"x{ratio:.2f} {name}" for name, ratio in result["ratio"].items())
    return f"{result['kind']:8} {result['context']:6,}  {shown}  {ratios}"


def _markdown(model: str, versions: dict[str, str], results: list[Result]) -> str:
    """A table: tokens a second of each engine, and how many times a peer's Longra's is."""
    peers = [name for name in versions if name != "longra"]
    header = [model, versions["longra"], *(cell for name in peers for cell in (versions[name], "times"))]
    rows = [header, ["---"] * len(header)]
    for result in results:
        speeds = result["tokens_per_second"]
        row = [f"{result['kind']} {'at ' if result['kind'] == 'decode' else ''}{result['context']:,}"]
        row.append(_figure(speeds["longra"]))
        for name in peers:
            row += [_figure(speeds[name]), f"{result['ratio'][name]:.1f}"] if name in speeds else ["", ""]
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _figure(speed: float) -> str:
    return f"{speed:,.0f}" if speed >= 100 else f"{speed:.1f}"


if __name__ == "__main__":
    main()
