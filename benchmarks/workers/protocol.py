"""What every worker of compare.py does: go on greedily from prompts that it is given, and tell when each token came."""

import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Generate = Callable[[list[list[int]], int], list[list[float]]]
"""Prompts of one length, as token ids, and how many tokens to add to each, whatever they are; greedy, all prompts at
once. Gives the moments (time.perf_counter) at which each prompt's new tokens came."""


@dataclass(frozen=True)
class Setup:
    """What a worker is started with.

    Attributes:
        model: a GGUF file.
        threads: to compute with.
        room: tokens of the longest text, prompt and new ones.
        streams: the most prompts that will come at once.
    """

    model: Path
    threads: int
    room: int
    streams: int


def setup() -> Setup:
    """From the command line: model, threads, room, streams."""
    model, *numbers = sys.argv[1:]
    return Setup(Path(model), *map(int, numbers))


def serve(version: str, generate: Generate, **facts: Any) -> None:
    """Warm up, say hello, answer orders until standard input ends: one JSON object a line, in and out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who gives the orders
    half = setup().room // 2
    generate([[token % 64 for token in range(min(512, half))]], min(4, half))
    _say({"version": version} | facts)
    for line in sys.stdin:
        order = json.loads(line)
        start = time.perf_counter()
        moments = generate(order["prompts"], order["new"])
        _say({"seconds": [[moment - start for moment in text] for text in moments]})


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)
