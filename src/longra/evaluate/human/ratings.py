"""What ratings say: each system's mean on each criterion."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from longra.evaluate.human.agreement import MISSING
from longra.evaluate.human.figures import Figure, by_item, figures, ratio
from longra.evaluate.human.judgements import Judgements
from longra.evaluate.human.study import WORST


@dataclass(frozen=True)
class Rated:
    """A system on one criterion; the mean is of all votes, from 1 to 5."""

    system: str
    criterion: str
    votes: int
    mean: Figure


def means(found: Judgements, systems: Sequence[str]) -> list[Rated]:
    """All systems that were rated, the best first."""
    given = found.codes != MISSING
    sums = np.where(given, found.codes + WORST, 0).sum(1)
    rows = []
    for number, system in enumerate(systems):
        mine = found.systems[:, 0] == number
        table = by_item(found.items, np.stack([sums, given.sum(1)], 1) * mine[:, None].astype(np.float64))
        (mean,) = figures(table, lambda total: ratio(total[..., [0]], total[..., [1]]))
        if mean is not None:
            rows.append(Rated(system, found.name, int(given[mine].sum()), mean))
    return sorted(rows, key=lambda row: -row.mean.value)
