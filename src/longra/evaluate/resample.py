"""Bootstrap intervals and paired tests for a measure whose value is the mean of its segments' values.

Quantiles and the seed are sacrebleu's, so that a ROUGE interval means what a BLEU interval means. The tests are those of
Koehn, Statistical significance tests for machine translation evaluation, 2004 (bootstrap), and of Riezler and Maxwell, On
some pitfalls in automatic evaluation and significance testing for MT, 2005 (approximate randomisation).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from longra.evaluate.score import SAMPLES, Interval, TestKind

SEED = 12345

TRIALS = 10_000
"""Of an approximate randomisation."""

_ROUNDING = 1e-12
"""Of sums of the same values in another order."""

_BLOCK = 1 << 22
"""Numbers that are held at once."""

Floats = NDArray[np.float64]


def interval(values: Sequence[float], samples: int = SAMPLES) -> Interval:
    """Interval of the mean of values, from `samples` draws with replacement."""
    drawn = means(np.asarray(values, np.float64)[:, None], samples)[:, 0]
    low, high = middle(drawn)
    return Interval(float(drawn.mean()), (high - low) / 2)


def middle(values: Floats) -> tuple[float, float]:
    """Between these lie 95 % of the values [samples]."""
    ordered = np.sort(values)
    outside = len(values) // 40
    return float(ordered[outside]), float(ordered[len(values) - outside - 1])


def means(values: Floats, samples: int = SAMPLES) -> Floats:
    """Means of values [segments, columns] over random draws of as many segments, with replacement: [samples, columns]."""
    rng = np.random.default_rng(SEED)
    parts = [values[rng.integers(len(values), size=(n, len(values)))].mean(1) for n in _blocks(samples, values.size)]
    return np.concatenate(parts)


def p_value(baseline: Sequence[float], system: Sequence[float], kind: TestKind) -> float:
    """How likely two systems that are equally good differ in their means by as much as these, in either direction.

    Args:
        baseline, system: the values of the same segments, in the same order.
    """
    pairs = np.column_stack([baseline, system]).astype(np.float64)
    difference = abs(float(pairs[:, 1].mean() - pairs[:, 0].mean()))
    if kind == "bootstrap":
        moved = np.abs(np.diff(means(pairs, SAMPLES))[:, 0])
        drawn = moved - moved.mean()
    else:
        drawn = np.abs(_mean_of_swaps(pairs[:, 1] - pairs[:, 0]))
    return (int((drawn >= difference - _ROUNDING).sum()) + 1) / (len(drawn) + 1)


def _mean_of_swaps(differences: Floats) -> Floats:
    """The mean difference when the two systems' outputs of random segments are swapped: [trials]."""
    rng = np.random.default_rng(SEED)
    size = len(differences)
    parts = [
        (rng.integers(2, size=(n, size), dtype=np.int8).astype(np.float64) * 2 - 1) @ differences / size
        for n in _blocks(TRIALS, size)
    ]
    return np.concatenate(parts)


def _blocks(rows: int, columns: int) -> Iterator[int]:
    """Numbers of rows that add up to `rows` and take little memory each."""
    at_once = max(1, _BLOCK // columns)
    for start in range(0, rows, at_once):
        yield min(at_once, rows - start)
