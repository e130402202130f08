"""Which tokens may be drawn. Each function takes candidates, most likely first, and gives back those that stay.

Candidates are token ids int64 [n] and logits float32 [n] already divided by the temperature, in descending order of
logit and ascending order of id where logits are equal.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from longra.arrays import Float32

Float64 = npt.NDArray[np.float64]
_BLOCK = 64


@dataclass(frozen=True)
class Candidates:
    """Tokens that may be drawn.

    Attributes:
        ids: int64 [n].
        logits: float32 [n], descending.
    """

    ids: npt.NDArray[np.int64]
    logits: Float32

    def first(self, count: int) -> "Candidates":
        """The `count` most likely."""
        return Candidates(self.ids[:count], self.logits[:count])

    def probabilities(self) -> Float64:
        """softmax over the candidates, float64 [n]."""
        weights = np.exp(self.logits - self.logits[0]).astype(np.float64)
        probabilities: Float64 = weights / weights.sum()
        return probabilities


def ordered(logits: Float32, ids: npt.NDArray[np.int64]) -> Candidates:
    """The tokens `ids` (ascending) as candidates; tokens at minus infinity are left out."""
    ids = ids[logits[ids] > -np.inf]
    values = logits[ids]
    order = rising(-values)
    return Candidates(ids[order], values[order])


def rising(values: Float32) -> npt.NDArray[np.int64]:
    """Places of values [n], the least first, the lowest place first among equals; no value may be a NaN.

    One sort of integers that hold a value's bits above its place: a stable argsort of a whole vocabulary takes 20 ms,
    this 3.
    """
    bits = (values + np.float32(0)).view(np.int32)  # -0 becomes 0
    bits ^= (bits >> 31) & 0x7FFFFFFF  # integers in the order of the floats that have these bits
    keys = (bits.astype(np.int64) << 32) | np.arange(len(values))
    keys.sort()
    return keys & 0xFFFFFFFF


def most_likely(logits: Float32, count: int) -> Candidates:
    """The `count` most likely of a row [vocabulary] (Fan et al. 2018, top-k), without sorting the row.

    At least `count` blocks of 64 tokens have a maximum that is not below the count-th largest block maximum, so no
    token below it is among the `count` largest.
    """
    if count >= len(logits) // _BLOCK:
        return ordered(logits, np.arange(len(logits))).first(count)
    whole = len(logits) // _BLOCK * _BLOCK
    maxima = logits[:whole].reshape(-1, _BLOCK).max(axis=1)
    threshold = np.partition(maxima, -count)[-count] if count <= len(maxima) else -np.inf
    return ordered(logits, np.flatnonzero(logits >= threshold)).first(count)


def above_mass(logits: Float32, top_p: float) -> Candidates:
    """Candidates of a row [vocabulary] that hold every token of its top_p nucleus.

    Tokens below (1 - top_p) / vocabulary of the mass together hold less than 1 - top_p.
    """
    weights = np.exp(logits - logits.max())
    floor = (1.0 - top_p) / len(logits) * float(weights.sum(dtype=np.float64))
    return ordered(logits, np.flatnonzero(weights >= floor))


def above_share(logits: Float32, share: float) -> Candidates:
    """Candidates of a row [vocabulary] that hold every token at least `share` as likely as the most likely."""
    floor = float(logits.max()) + float(np.log(share))
    return ordered(logits, np.flatnonzero(logits >= np.nextafter(np.float32(floor), np.float32(-np.inf))))


def top_p(candidates: Candidates, mass: float, probabilities: Float64) -> Candidates:
    """The fewest most likely tokens whose mass reaches `mass` (Holtzman et al. 2019).

    Args:
        probabilities: of the candidates, in what they were cut from.
    """
    reached = np.cumsum(probabilities)
    return candidates.first(int(np.searchsorted(reached, mass)) + 1)


def min_p(candidates: Candidates, share: float) -> Candidates:
    """Tokens at least `share` as likely as the most likely (Nguyen et al. 2024)."""
    floor = float(candidates.logits[0]) + float(np.log(share))
    return candidates.first(max(1, int(np.searchsorted(-candidates.logits, -floor, side="right"))))


def typical(logits: Float32, mass: float) -> npt.NDArray[np.int64]:
    """Places, rising, of the tokens whose surprise is nearest to the entropy, until their mass reaches `mass`
    (Meister et al. 2022).

    Distances are not sorted: the upper bits of each choose a bin, and only those in the bin where the mass is reached are
    looked at one by one.

    Args:
        logits: float32 [n], finite.
    """
    weights = np.exp(logits - logits.max()).astype(np.float64)
    p = weights / weights.sum()
    surprise = (logits.max() - logits) + np.log(weights.sum())
    distances = np.abs(surprise - (p * surprise).sum()).astype(np.float32)
    bins = distances.view(np.int32) >> 16  # in the order of the floats that have these bits
    reached = np.cumsum(np.bincount(bins, p))
    last = int(np.searchsorted(reached, mass))
    kept = bins < last
    edge = np.flatnonzero(bins == last)
    edge = edge[rising(distances[edge])]
    before = float(reached[last - 1]) if last else 0.0
    kept[edge[: int(np.searchsorted(np.cumsum(p[edge]), mass - before)) + 1]] = True
    return np.flatnonzero(kept)


def typical_p(candidates: Candidates, mass: float) -> Candidates:
    """Those of the candidates that are typical."""
    kept = typical(candidates.logits, mass)
    return Candidates(candidates.ids[kept], candidates.logits[kept])


def most_typical(logits: Float32, mass: float) -> Candidates:
    """The typical tokens of a row [vocabulary]."""
    ids = np.flatnonzero(logits > -np.inf)
    return ordered(logits, ids[typical(logits[ids], mass)])
