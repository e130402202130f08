"""A figure and how far chance could have moved it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longra.evaluate.resample import means, middle

Floats = NDArray[np.float64]

_DEFINED = 0.5
"""An interval is given where the figure exists in this share of the samples."""

FEW = 20
"""With fewer items all intervals are rough."""


@dataclass(frozen=True)
class Figure:
    """A value; 95 % of a bootstrap's samples lie from low to high. Both are None where there is too little to draw from."""

    value: float
    low: float | None = None
    high: float | None = None


def figures(rows: Floats, statistic: Callable[[Floats], Floats]) -> list[Figure | None]:
    """Figures made from sums over items, with intervals from draws of items.

    Items are drawn, and not votes, since votes on the same item are not independent.

    Args:
        rows: [items, columns].
        statistic: from sums [..., columns] to figures [..., n]; NaN where one does not exist.

    Returns:
        n figures; None for those that do not exist.
    """
    values = statistic(rows.sum(0))
    drawn = statistic(means(rows) * len(rows)) if len(rows) > 1 else np.full((1, len(values)), np.nan)
    return [_figure(float(value), column, len(rows)) for value, column in zip(values, drawn.T, strict=True)]


def by_item(items: NDArray[np.int64], rows: Floats) -> Floats:
    """Rows [units, ...] added up for each item: [items, columns]."""
    sums = np.zeros((int(items.max()) + 1, int(np.prod(rows.shape[1:]))))
    np.add.at(sums, items, rows.reshape(len(rows), -1))
    return sums


def ratio(above: Floats, below: Floats) -> Floats:
    """A share; NaN of nothing."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _figure(value: float, drawn: Floats, items: int) -> Figure | None:
    """A figure with the interval of its draws. Draws from a few items that are all alike are alike too, and say nothing."""
    if np.isnan(value):
        return None
    defined = drawn[~np.isnan(drawn)]
    if len(defined) < _DEFINED * len(drawn):
        return Figure(value)
    low, high = middle(defined)
    return Figure(value) if low == high and items < FEW else Figure(value, low, high)
