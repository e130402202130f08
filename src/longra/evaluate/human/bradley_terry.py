"""Bradley-Terry scores: how strong each system is, from who was preferred to whom.

Bradley and Terry, Rank analysis of incomplete block designs, 1952: system i is preferred to j with probability
p_i / (p_i + p_j). The likeliest p are found by the iteration of Newman, Efficient computation of rankings from pairwise
comparisons, 2023, equation 10.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SMALLEST_STEP = 1e-10
_MOST_STEPS = 10_000


def scores(wins: Floats, compared: NDArray[np.bool_]) -> Floats | None:
    """Scores in points, of which all systems together have 0: with 100 more, 64 % of votes are to be expected.

    Each two systems that were compared get one tie in addition (half a win each, the correction of Haldane and Anscombe),
    so that a system that has never won, or never lost, has a finite score.

    Args:
        wins: [..., systems, systems], how often the row was preferred to the column; a tie counts half for both.
        compared: [systems, systems], who was compared with whom at all.

    Returns:
        [..., systems]; None if the systems fall into groups that were never compared with each other.
    """
    if not _is_connected(compared):
        return None
    won = wins + 0.5 * compared
    return _points(_strengths(won))


def _strengths(won: Floats) -> Floats:
    """The likeliest p; one system after another, since all at once may swing to and fro for ever."""
    lost = won.swapaxes(-1, -2)
    p: Floats = np.ones(won.shape[:-1])
    for _ in range(_MOST_STEPS):
        before = p.copy()
        for i in range(p.shape[-1]):
            sums = p[..., [i]] + p
            p[..., i] = (won[..., i, :] * p / sums).sum(-1) / (lost[..., i, :] / sums).sum(-1)
        p /= np.exp(np.log(p).mean(-1, keepdims=True))
        if np.abs(p / before - 1).max() < _SMALLEST_STEP:
            break
    return p


def _points(p: Floats) -> Floats:
    points: Floats = 400 * np.log10(p)
    points -= points.mean(-1, keepdims=True)
    return points


def _is_connected(compared: NDArray[np.bool_]) -> bool:
    reached = np.arange(len(compared)) == 0
    for _ in compared:
        reached = reached | compared[reached].any(0)
    return bool(reached.all())
