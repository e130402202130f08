"""Next-token distributions, from rows of logits."""

import numpy as np
import numpy.typing as npt

from longra.arrays import Float32
from longra.errors import LongraError

Float64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def log_totals(logits: Float32) -> Float64:
    """log(sum(exp(row))) of each row of logits [n, vocabulary]; float64 [n].

    Raises:
        LongraError: a logit is no number.
    """
    top = logits.max(axis=1)
    if not np.isfinite(top).all():  # one NaN makes a row's largest NaN
        raise LongraError(
            "the model gave no number for a token of the text; its weights may be damaged (`longra verify` tells) or"
            " overflow (try --weights f32)"
        )
    totals: Float64 = top + np.log(np.exp(logits - top[:, None]).sum(axis=1, dtype=np.float64))
    return totals


def log_probabilities(logits: Float32, tokens: Ints) -> Float64:
    """Natural logarithms of the probabilities of one token for each row; float64 [n]."""
    return logits[np.arange(len(tokens)), tokens] - log_totals(logits)


def divergences(p: Float32, q: Float32) -> Float64:
    """Kullback-Leibler divergence KL(P || Q) = sum p (log p - log q) of each row, in nats.

    Args:
        p: logits of the reference, [n, vocabulary].
        q: logits of the other, of the same shape.

    Returns:
        float64 [n]; rounding may leave a value a little below 0.
    """
    total_p, total_q = log_totals(p), log_totals(q)
    logs = p - total_p[:, None]
    found: Float64 = np.einsum("ij,ij->i", np.exp(logs), logs - (q - total_q[:, None]))
    return found


def likeliest(logits: Float32, count: int) -> Ints:
    """The `count` likeliest tokens of each row, in no order; [n, count]."""
    return np.argpartition(logits, -count, axis=1)[:, -count:].astype(np.int64)
