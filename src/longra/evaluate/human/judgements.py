"""Votes as numbers: what each rater said of each unit, a pair of outputs or a single one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from longra.evaluate.human.agreement import MISSING, Codes, Level
from longra.evaluate.human.study import BEST, WORST, Study
from longra.evaluate.human.votes import Vote

FIRST, SECOND, TIE, BOTH_BAD = range(4)
"""Codes of pairs: which of the two was preferred, in the order of the study's systems."""


@dataclass(frozen=True)
class Judgements:
    """The answers to one question.

    Attributes:
        name: the criterion; "preference" of pairs.
        level: of its values.
        values: how many there are: 4 for pairs, 5 for ratings (1 to 5 are 0 to 4).
        codes: [units, raters]; MISSING where a rater has not judged a unit.
        systems: [units, 2 or 1], numbers of the study's systems.
        items: [units], counted from 0; those that nobody has judged are left out.
        raters: their names, sorted.
    """

    name: str
    level: Level
    values: int
    codes: Codes
    systems: Codes
    items: Codes
    raters: tuple[str, ...]


def judgements(study: Study, votes: Sequence[Vote]) -> list[Judgements]:
    """One table for each criterion, or one of all preferences.

    Args:
        votes: those that count; at least one.
    """
    raters = tuple(sorted({vote.rater for vote in votes}))
    units = {task: unit for unit, task in enumerate(sorted({vote.task for vote in votes}))}
    items: dict[str, int] = {}
    names = study.criteria or ("preference",)
    codes = np.full((len(names), len(units), len(raters)), MISSING)
    systems = np.zeros((len(units), len(votes[0].shown)), np.int64)
    of_item = np.zeros(len(units), np.int64)
    for vote in votes:
        unit = units[vote.task]
        systems[unit] = sorted(map(study.systems.index, vote.shown))
        of_item[unit] = items.setdefault(vote.item, len(items))
        codes[:, unit, raters.index(vote.rater)] = _codes(study, vote)
    level: Level = "nominal" if study.mode == "pairwise" else "ordinal"
    values = 4 if study.mode == "pairwise" else BEST - WORST + 1
    return [Judgements(name, level, values, codes[i], systems, of_item, raters) for i, name in enumerate(names)]


def _codes(study: Study, vote: Vote) -> list[int]:
    if isinstance(vote.answer, dict):
        return [vote.answer[name] - WORST for name in study.criteria]
    if vote.answer in ("left", "right"):
        preferred, other = vote.shown if vote.answer == "left" else vote.shown[::-1]
        return [FIRST if study.systems.index(preferred) < study.systems.index(other) else SECOND]
    return [TIE if vote.answer == "tie" else BOTH_BAD]
