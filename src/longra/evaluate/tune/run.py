"""Runs all cells side by side in the engine."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from longra.evaluate.tune.grid import Cell

if TYPE_CHECKING:
    from longra.generation.result import Result
    from longra.generation.stream import Stream
    from longra.model import Model

_GLANCE = 0.2
"""Seconds between two looks at how far all are."""


@dataclass(frozen=True)
class Finished:
    """A cell, and what it has written."""

    cell: Cell
    result: "Result"


@dataclass(frozen=True)
class Wanted:
    """What every cell is asked: see `Model.generate`."""

    prompt: str
    chat: bool | None = None
    system: str | None = None


def work(cells: Sequence[Cell]) -> int:
    """Tokens to generate at most."""
    return sum(cell.config.max_tokens * cell.config.num_sequences for cell in cells)


def run(
    model: "Model", wanted: Wanted, cells: Sequence[Cell], advance: Callable[[int], object] = lambda _: None
) -> tuple[list[Finished], bool]:
    """Generate the texts of all cells together, in shared steps.

    Each text is the one that its parameters and seed give alone.

    Args:
        advance: told of tokens that are done, or will not be needed.

    Returns:
        the cells whose texts have all ended, and whether that is all of them: Ctrl-C ends the others early.
    """
    streams: list[Stream] = []
    done = 0
    complete = True
    with ThreadPoolExecutor(len(cells)) as pool:
        try:
            running: list[Future[Result]] = []
            for cell in cells:
                config = replace(cell.config, logprobs=0)
                streams.append(model.stream(wanted.prompt, config, chat=wanted.chat, system=wanted.system))
                if len(streams) == 1:
                    next(streams[0], None)  # its prompt is read now, and the others find it in the prefix cache
            running = [pool.submit(stream.wait) for stream in streams]
            while wait(running, timeout=_GLANCE).not_done:
                now = sum(map(_tokens, cells, streams, running))
                advance(now - done)
                done = now
        except KeyboardInterrupt:
            complete = False
        finally:
            for stream in streams:
                stream.close()
    results = [stream.result for stream in streams]
    ended = [Finished(cell, result) for cell, result in zip(cells, results, strict=False) if _has_ended(result)]
    if complete:
        for future in running:
            future.result()  # what went wrong is raised
    return ended, complete and len(ended) == len(cells)


def _tokens(cell: Cell, stream: "Stream", future: "Future[Result]") -> int:
    return work([cell]) if future.done() else stream.result.completion_tokens


def _has_ended(result: "Result") -> bool:
    return all(sequence.finish_reason != "interrupted" for sequence in result.sequences)
