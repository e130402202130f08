"""How far people agree beyond chance: Krippendorff's alpha and Cohen's kappa.

Krippendorff, Computing Krippendorff's alpha-reliability, 2011; Cohen, A coefficient of agreement for nominal scales, 1960,
and Weighted kappa, 1968. Both are 1 where all agree, 0 where they agree as often as chance would have it.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

Level = Literal["nominal", "ordinal"]
"""Whether values only differ, or have an order."""

MISSING = -1


def coincidences(codes: Codes, values: int) -> Floats:
    """How often each value met each other one among the raters of a unit: [units, values, values].

    Each value given counts once: pairs of a unit are divided by the number of its raters less one.

    Args:
        codes: [units, raters], each a value from 0, or MISSING.
        values: how many there are.
    """
    counts = np.stack([(codes == value).sum(1) for value in range(values)], axis=1).astype(np.float64)
    raters = counts.sum(1)
    pairs = counts[:, :, None] * counts[:, None, :] - np.eye(values) * counts[:, None, :]
    return pairs * np.where(raters > 1, 1 / np.maximum(raters - 1, 1), 0)[:, None, None]


def alpha(met: Floats, level: Level) -> Floats:
    """Krippendorff's alpha.

    Args:
        met: [..., values, values], sums of `coincidences` over units.

    Returns:
        [...]; NaN where nothing could differ: all values were the same, or none met another.
    """
    of_each = met.sum(-1)
    total = of_each.sum(-1)
    distance = _distances(of_each, level)
    observed = (met * distance).sum((-1, -2))
    expected = (of_each[..., :, None] * of_each[..., None, :] * distance).sum((-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan)


def kappa(first: Codes, second: Codes, values: int, level: Level) -> float | None:
    """Cohen's kappa between two raters, over the units that both have judged.

    Differences of ordered values count by their squares (weighted kappa).

    Returns:
        None where nothing could differ.
    """
    both = (first != MISSING) & (second != MISSING)
    table = np.zeros((values, values))
    np.add.at(table, (first[both], second[both]), 1)
    places = np.arange(values)
    apart = places[:, None] - places
    weights = (apart != 0) if level == "nominal" else apart**2
    expected = (np.outer(table.sum(1), table.sum(0)) * weights).sum()
    return float(1 - table.sum() * (table * weights).sum() / expected) if expected > 0 else None


def _distances(of_each: Floats, level: Level) -> Floats:
    """Squared distances between values: of ordinal ones, by how many were given between them."""
    values = of_each.shape[-1]
    if level == "nominal":
        return 1 - np.eye(values)
    middles = of_each.cumsum(-1) - of_each / 2
    return (middles[..., :, None] - middles[..., None, :]) ** 2
