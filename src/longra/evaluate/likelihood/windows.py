"""A text longer than a model's window is read in windows that overlap; each token is scored once."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from longra.arrays import Float32
from longra.engine.scheduler import PREFILL_ROWS, SCORED_ROWS
from longra.engine.sequence import Sequence as Reading
from longra.errors import UsageError

if TYPE_CHECKING:
    from longra.model import Model
    from longra.text.tokenizer import Tokenizer

USUAL_WINDOW = 2048


@dataclass(frozen=True)
class Window:
    """Tokens [start, end) of a text are read, and the last `scored` of them are scored."""

    start: int
    end: int
    scored: int


def windows(count: int, room: int, stride: int, begins: bool) -> list[Window]:
    """Windows over a text: the first one scores all that it can, each later one the tokens beyond the one before.

    So a token is scored with at least room - stride tokens before it, unless it stands before token `room`.

    Args:
        count: tokens of the text.
        room: tokens that a window holds, but for the token that begins a text.
        stride: tokens from one window's start to the next one's.
        begins: each window starts with a token that begins a text, so that the text's first token can be scored.
    """
    found = [Window(0, min(room, count), min(room, count) - (not begins))]
    while found[-1].end < count:
        start = found[-1].start + stride
        end = min(start + room, count)
        found.append(Window(start, end, end - found[-1].end))
    return found


def beginning(tokenizer: "Tokenizer") -> list[int]:
    """The token that the tokenizer puts before a text, if it does."""
    first = tokenizer.encode("")[:1]
    return first if first == [tokenizer.bos_id] else []


def digest(tokens: Sequence[int]) -> str:
    """Tells one text from another."""
    return hashlib.sha256(np.array(tokens, np.int32).tobytes()).hexdigest()[:16]


def window_of(model: "Model", wanted: int | None) -> int:
    """The window that is wanted, in tokens, else the usual one or the model's context if that is less.

    Raises:
        UsageError: it is less than 2, or more than the model holds.
    """
    held = model.spec.context
    window = min(USUAL_WINDOW, held) if wanted is None else wanted
    if not 2 <= window <= held:
        raise UsageError(
            f"--window {window:,} is out of range; {model.name} holds {held:,} tokens, choose 2 to {held:,}"
        )
    return window


def rows_after(model: "Model", tokens: Sequence[int], last: int) -> Iterator[Float32]:
    """Logits of the last positions of a text, by prefill, as they are computed.

    The engine runs nothing else beside a step. Nothing is taken from the prefix cache.

    Args:
        tokens: ids, at least one.
        last: positions, 1 to len(tokens).

    Yields:
        float32 [at most SCORED_ROWS, vocabulary]; the caller's until the next one.
    """
    engine = model.engine
    reading = Reading(engine.pool, tokens, extended=model.spec.extended(len(tokens)))
    try:
        while reading.unread:
            most = min(PREFILL_ROWS, max(0, reading.unread - last) + SCORED_ROWS)
            with engine.alone():
                chunk = reading.chunk(most, last)
                rows = engine.backend.step([chunk], "prefill")
            reading.advance(len(chunk.tokens))
            if len(rows):
                yield rows
    finally:
        with engine.alone():
            reading.release()
