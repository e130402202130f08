"""How far those who judge agree: all together, two by two, and each with the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from longra.evaluate.human import agreement
from longra.evaluate.human.agreement import MISSING, Codes, Level, coincidences, kappa
from longra.evaluate.human.figures import Figure, by_item, figures
from longra.evaluate.human.judgements import Judgements


@dataclass(frozen=True)
class Agreement:
    """All raters together.

    Attributes:
        units: judged by two or more.
        alpha: Krippendorff's; None where there is nothing to compare, or all votes were the same.
    """

    question: str
    level: Level
    units: int
    alpha: Figure | None


@dataclass(frozen=True)
class Couple:
    """Two raters.

    Attributes:
        units: judged by both.
        same: share of them on which they said the same.
        kappa: Cohen's (weighted by squares for ratings); None where both always gave one same answer.
    """

    question: str
    first: str
    second: str
    units: int
    same: float
    kappa: float | None


@dataclass(frozen=True)
class Rater:
    """One rater.

    Attributes:
        votes: tasks judged.
        compared: answers that others have given too; of pairs only where most of the others said the same.
        agrees: share of these in which the rater said what most of the others said; None for ratings, or of none.
        distance: of ratings, how far they are from the mean of the others', on average; None for pairs, or of none.
        leaning: of ratings, how much higher they are than the others' on average; below 0 is stricter.
    """

    name: str
    votes: int
    compared: int
    agrees: float | None
    distance: float | None
    leaning: float | None


def together(found: Judgements) -> Agreement:
    """The agreement of all."""
    met = coincidences(found.codes, found.values)
    rows = by_item(found.items, met)
    shape = (found.values, found.values)
    (alpha,) = figures(
        rows, lambda sums: agreement.alpha(sums.reshape(*sums.shape[:-1], *shape), found.level)[..., None]
    )
    return Agreement(found.name, found.level, int(((found.codes != MISSING).sum(1) > 1).sum()), alpha)


def couples(found: Judgements) -> list[Couple]:
    """All couples of raters who have judged something in common."""
    rows = []
    for i, j in combinations(range(len(found.raters)), 2):
        one, other = found.codes[:, i], found.codes[:, j]
        both = (one != MISSING) & (other != MISSING)
        if both.any():
            rows.append(
                Couple(
                    found.name,
                    found.raters[i],
                    found.raters[j],
                    units=int(both.sum()),
                    same=float((one == other)[both].mean()),
                    kappa=kappa(one, other, found.values, found.level),
                )
            )
    return rows


def each(questions: Sequence[Judgements]) -> list[Rater]:
    """Each rater, over all questions."""
    return [_rater(questions, number) for number in range(len(questions[0].raters))]


def _rater(questions: Sequence[Judgements], number: int) -> Rater:
    first = questions[0]
    votes = int((first.codes[:, number] != MISSING).sum())
    others = [np.delete(found.codes, number, axis=1) for found in questions]
    own = [found.codes[:, number] for found in questions]
    if first.level == "nominal":
        same = _same_as_most(own[0], others[0], first.values)
        return Rater(first.raters[number], votes, len(same), _mean(same), None, None)
    apart = [gap for one, rest in zip(own, others, strict=True) for gap in _from_mean(one, rest)]
    return Rater(first.raters[number], votes, len(apart), None, _mean([abs(gap) for gap in apart]), _mean(apart))


def _same_as_most(own: Codes, others: Codes, values: int) -> list[float]:
    """Whether a rater said what most of the others said, wherever there is one such answer."""
    counts = np.stack([(others == value).sum(1) for value in range(values)], axis=1)
    most = counts.max(1)
    clear = (own != MISSING) & ((counts == most[:, None]).sum(1) == 1)
    return [float(same) for same in (counts.argmax(1) == own)[clear]]


def _from_mean(own: Codes, others: Codes) -> list[float]:
    """How much higher a rater's ratings are than the mean of the others'."""
    given = others != MISSING
    shared = (own != MISSING) & given.any(1)
    means = np.where(given, others, 0)[shared].sum(1) / given[shared].sum(1)
    return [float(gap) for gap in own[shared] - means]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
