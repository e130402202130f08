"""A text read again with the kernels adding up what each of its tokens attended to."""

from collections.abc import Callable
from collections.abc import Sequence as Items
from typing import TYPE_CHECKING

import numpy as np

from longra.arrays import Float32
from longra.attend.shares import Trace
from longra.engine.scheduler import PREFILL_ROWS
from longra.engine.sequence import Sequence

if TYPE_CHECKING:
    from longra.model import Model

_ROWS = 16

Progress = Callable[[int, int], None]
"""Called with the tokens that are done, and with all."""


def nobody(_done: int, _all: int) -> None:
    """Nobody listens."""


def trace(
    model: "Model", prompt: Items[int], text: Items[int], extended: bool = False, progress: Progress = nobody
) -> Trace:
    """What the steps that chose the tokens of a text attended to.

    The prompt is read by the prefill arithmetic and the text by the decode arithmetic, as when it was written. The first
    token is chosen by the prompt's last row, whose attention is not known: its mass is zero.

    Args:
        prompt: token ids, at least one.
        text: token ids, at least one.
        extended: the text was to grow beyond Rope.limit.
        progress: told how far it is.
    """
    engine, length = model.engine, len(prompt) + len(text)
    mass: Float32 = np.zeros((len(text), length), np.float32)
    with engine.alone():
        sequence = Sequence(engine.pool, prompt, extended=extended)
        engine.prefix.adopt(sequence)  # generating the text has just read the prompt
        sequence.tokens.extend(text[:-1])
        try:
            while sequence.unread:
                chunk = sequence.chunk(PREFILL_ROWS, logits=0)
                engine.backend.step([chunk], "prefill")
                sequence.advance(len(chunk.tokens))
                progress(sequence.cached, length)
            while sequence.pending:
                chunk = sequence.chunk(_ROWS, logits=0)
                first = chunk.start - len(prompt) + 1
                engine.backend.step([chunk], "decode", mass[first : first + len(chunk.tokens)])
                sequence.advance(len(chunk.tokens))
                progress(sequence.cached, length)
        finally:
            sequence.release()
    spell = model.tokenizer.token_bytes
    return Trace([spell(token) for token in (*prompt, *text)], len(prompt), mass)
