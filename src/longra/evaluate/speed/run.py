"""A list of measurements: checked before the first, with the work that is left, kept when it is interrupted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from longra.errors import UsageError
from longra.evaluate.speed.measure import DECODED, Bench, Speed, rounds, step_work


@dataclass(frozen=True)
class Job:
    """One measurement: reading `tokens`, or decoding `streams` texts after `tokens` each (0 streams: reading)."""

    tokens: int
    streams: int = 0

    def measure(self, bench: Bench) -> Speed:
        """Do it."""
        return bench.decode(self.tokens, self.streams) if self.streams else bench.prefill(self.tokens)


def jobs(prefill: Sequence[int], decode_at: Sequence[int], streams: Sequence[int], context: int) -> list[Job]:
    """What is to be measured, in order.

    Args:
        prefill: lengths of prompts.
        decode_at: tokens in the cache before decoding.
        streams: how many texts to decode together, for each of decode_at.
        context: tokens that the model holds.

    Raises:
        UsageError: a number is below 1, or a text would not fit into the context.
    """
    for name, values, most in (
        ("--prefill", prefill, context),
        ("--decode-at", decode_at, context - DECODED),
        ("--streams", streams, None),
    ):
        for value in values:
            if value < 1 or (most is not None and value > most):
                bounds = "1 or more" if most is None else f"1 to {most:,}: the model holds {context:,} tokens"
                raise UsageError(f"{name} {value:,} cannot be measured; choose {bounds}")
    return [Job(tokens) for tokens in prefill] + [Job(tokens, count) for tokens in decode_at for count in streams]


def work(todo: Sequence[Job]) -> int:
    """What jobs take, in prompt tokens read; Bench.advance adds up to it."""
    total = filled = 0
    for job in todo:
        if job.streams:
            total += max(0, job.tokens - filled) + DECODED * step_work(job.streams)
        else:
            total += rounds(job.tokens) * job.tokens
        filled = max(filled, job.tokens)
    return total


def measure(bench: Bench, todo: Sequence[Job], done: Callable[[Speed], None]) -> bool:
    """Measure in order and hand each result on; False if Ctrl-C ended it early."""
    try:
        for job in todo:
            done(job.measure(bench))
    except KeyboardInterrupt:
        return False
    return True
