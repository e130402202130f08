"""Longra beside its peers on one model file: the same work, interleaved, in one run; prints medians and ratios.

    python benchmarks/compare.py MODEL.gguf --prefill 512 --decode-at 32,8000 --peer xllamacpp=PYTHON [--peer openvino=PYTHON]

PYTHON is the interpreter of an environment that has the peer (`pip install xllamacpp`, `pip install openvino-genai`).
Each engine is a process of its own that loads the model once and measures on command, so that rounds can alternate. All
use the same number of threads, random prompt tokens, greedy decoding, one stream, their own best reasonable settings.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

WORKERS = Path(__file__).parent / "workers"


class Worker:
    """An engine in its own process: one JSON line in, one out."""

    def __init__(self, name: str, python: str, model: str, threads: int, context: int) -> None:
        self.name = name
        command = [python, str(WORKERS / f"{name}.py"), model, str(threads), str(context)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.version = self._read()["version"]

    def measure(self, kind: str, context: int) -> float:
        """Tokens a second."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"kind": kind, "context": context}) + "\n")
        self.process.stdin.flush()
        return float(self._read()["tokens_per_second"])

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise SystemExit(f"{self.name} ended with exit code {self.process.wait()}")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--prefill", default="512")
    parser.add_argument("--decode-at", default="32,8000")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    jobs = [("prefill", int(n)) for n in arguments.prefill.split(",") if n]
    jobs += [("decode", int(n)) for n in arguments.decode_at.split(",") if n]
    context = max(n for _, n in jobs) + 256
    engines = {"longra": sys.executable} | dict(peer.split("=", 1) for peer in arguments.peer)
    workers = [Worker(name, python, arguments.model, arguments.threads, context) for name, python in engines.items()]
    results = []
    for kind, n in jobs:
        speeds: dict[str, list[float]] = {worker.name: [] for worker in workers}
        for _ in range(arguments.rounds):
            for worker in workers:
                speeds[worker.name].append(worker.measure(kind, n))
        middle = {name: median(values) for name, values in speeds.items()}
        ratios = {name: middle["longra"] / value for name, value in middle.items() if name != "longra"}
        results.append({"kind": kind, "context": n, "tokens_per_second": middle, "ratio": ratios})
        if not arguments.json:
            shown = "  ".join(f"{name} {value:,.1f}" for name, value in middle.items())
            print(
                f"{kind:8} {n:6,}  {shown}  " + "  ".join(f"x{r:.2f} {name}" for name, r in ratios.items()), flush=True
            )
    versions = {worker.name: worker.version for worker in workers}
    for worker in workers:
        worker.close()
    print(
        json.dumps({"versions": versions, "threads": arguments.threads, "results": results})
        if arguments.json
        else versions
    )


if __name__ == "__main__":
    main()
