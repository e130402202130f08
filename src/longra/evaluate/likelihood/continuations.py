"""How likely a model finds continuations of one text."""

from collections.abc import Sequence

import numpy as np

from longra.arrays import Float32
from longra.errors import ContextError
from longra.model import Model

Scored = tuple[float, bool]
"""The natural logarithm of a continuation's probability, and whether greedy decoding would have given it."""


def score_continuations(model: Model, read: Sequence[int], continuations: Sequence[Sequence[int]]) -> list[Scored]:
    """Score continuations that all end right after the text that is read, which holds all but their last tokens.

    Args:
        read: token ids, at least one, at most what the model holds.
        continuations: token ids; all but the last of each are the end of `read`.

    Raises:
        ContextError: a continuation is longer than what is read.
    """
    last = max(1, *map(len, continuations))
    if last > len(read):
        raise ContextError(
            f"a continuation has {last:,} tokens and {model.name} reads {len(read):,} here; pass a longer context"
        )
    sums, greedy = [0.0] * len(continuations), [True] * len(continuations)
    done = 0

    def take(rows: Float32) -> None:
        """Rows of logits, each for what follows a position; the last one belongs to every last token."""
        nonlocal done
        top = rows.max(axis=1)
        totals = top + np.log(np.exp(rows - top[:, None]).sum(axis=1, dtype=np.float64))
        best = rows.argmax(axis=1)
        for i, tokens in enumerate(continuations):
            for row in range(max(0, last - len(tokens) - done), len(rows)):
                token = tokens[done + row - (last - len(tokens))]
                sums[i] += float(rows[row, token]) - totals[row]
                greedy[i] &= bool(best[row] == token)
        done += len(rows)

    model.engine.read(read, last, take, model.spec.extended(len(read)))
    return [(float(log), same) for log, same in zip(sums, greedy, strict=True)]
