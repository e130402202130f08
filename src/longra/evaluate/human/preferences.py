"""What pairs say: who was preferred to whom, how often, and how strong that makes each system."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from longra.evaluate.human import bradley_terry
from longra.evaluate.human.figures import Figure, Floats, by_item, figures, ratio
from longra.evaluate.human.judgements import BOTH_BAD, FIRST, SECOND, TIE, Judgements


@dataclass(frozen=True)
class Pair:
    """Two systems beside each other.

    Attributes:
        win_rate: share of votes for the first, ties as half for each, without those that found both bad; None of none.
    """

    first: str
    second: str
    votes: int
    first_better: int
    second_better: int
    ties: int
    both_bad: int
    win_rate: Figure | None


@dataclass(frozen=True)
class Standing:
    """One system beside all others.

    Attributes:
        win_rate: as in `Pair`.
        score: Bradley-Terry, in points; see `bradley_terry.scores`. None where groups of systems were never compared.
    """

    system: str
    votes: int
    wins: int
    losses: int
    ties: int
    both_bad: int
    win_rate: Figure | None
    score: Figure | None


def standings(found: Judgements, systems: Sequence[str]) -> list[Standing]:
    """All systems that were judged, the strongest first."""
    counts = _counts(found, len(systems))
    total = counts.sum(0)
    wins, ties, bad = total[FIRST], total[TIE], total[BOTH_BAD]
    rows = [
        Standing(
            name,
            votes=int(total[:, system].sum()),
            wins=int(wins[system].sum()),
            losses=int(wins[:, system].sum()),
            ties=int(ties[system].sum()),
            both_bad=int(bad[system].sum()),
            win_rate=_win_rate(counts[:, :, system].sum(-1)),
            score=score,
        )
        for system, (name, score) in enumerate(zip(systems, _scores(counts), strict=True))
        if total[:, system].any()
    ]
    return sorted(rows, key=_place)


def pairs(found: Judgements, systems: Sequence[str]) -> list[Pair]:
    """All pairs of systems that were compared, in order."""
    counts = _counts(found, len(systems))
    rows = []
    for i, j in combinations(range(len(systems)), 2):
        first, second, ties, bad = (int(number) for number in counts[:, :, i, j].sum(0))
        if votes := first + second + ties + bad:
            rate = _win_rate(counts[:, :, i, j])
            rows.append(Pair(systems[i], systems[j], votes, first, second, ties, bad, rate))
    return rows


def _counts(found: Judgements, systems: int) -> Floats:
    """Votes by item: [items, kinds, systems, systems], each from both sides; FIRST is "row preferred to column"."""
    kinds = np.stack([(found.codes == code).sum(1) for code in (FIRST, SECOND, TIE, BOTH_BAD)], axis=1)
    units = np.zeros((len(kinds), 4, systems, systems))
    rows = np.arange(len(kinds))
    one, other = found.systems.T
    units[rows, :, one, other] = kinds
    units[rows, :, other, one] = kinds[:, [SECOND, FIRST, TIE, BOTH_BAD]]
    return by_item(found.items, units).reshape(-1, 4, systems, systems)


def _win_rate(kinds: Floats) -> Figure | None:
    """From votes of each kind by item [items, kinds]."""
    (rate,) = figures(
        kinds,
        lambda sums: ratio(
            sums[..., [FIRST]] + sums[..., [TIE]] / 2, sums[..., [FIRST]] + sums[..., [SECOND]] + sums[..., [TIE]]
        ),
    )
    return rate


def _scores(counts: Floats) -> list[Figure | None]:
    """Of each system, from `_counts`; None where no vote preferred one to another."""
    wins = counts[:, FIRST] + counts[:, TIE] / 2
    compared = (wins + wins.swapaxes(1, 2)).sum(0) > 0
    known = compared.any(1)
    size = int(known.sum())

    def of(sums: Floats) -> Floats:
        table = sums.reshape(*sums.shape[:-1], size, size)
        found = bradley_terry.scores(table, compared[known][:, known])
        return np.full(table.shape[:-1], np.nan) if found is None else found

    if not size:
        return [None] * len(known)
    of_known = iter(figures(wins[:, known][:, :, known].reshape(len(wins), -1), of))
    return [next(of_known) if is_known else None for is_known in known]


def _place(row: Standing) -> tuple[bool, float]:
    """By score; those that have none last, by their win rate."""
    best = row.score or row.win_rate
    return row.score is None, 0.0 if best is None else -best.value
