"""All that the votes of a study say."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from longra.evaluate.human import preferences, raters, ratings
from longra.evaluate.human.judgements import judgements
from longra.evaluate.human.preferences import Pair, Standing
from longra.evaluate.human.raters import Agreement, Couple, Rater
from longra.evaluate.human.ratings import Rated
from longra.evaluate.human.study import Study
from longra.evaluate.human.votes import Vote


@dataclass(frozen=True)
class Summary:
    """A report.

    Attributes:
        items: judged by somebody.
        questions: that a rater is asked in all.
        left: of pairs, the share of the votes for one side that went to the left one; near 0.5 if sides do not matter.
        standings, pairs: of pairs; empty for ratings.
        rated: of ratings; empty for pairs.
    """

    study: Study
    items: int
    votes: int
    questions: int
    left: float | None
    standings: list[Standing]
    pairs: list[Pair]
    rated: list[Rated]
    agreement: list[Agreement]
    couples: list[Couple]
    raters: list[Rater]


def summarise(study: Study, questions: int, votes: Sequence[Vote]) -> Summary:
    """The report.

    Args:
        questions: that a rater is asked in all.
        votes: those that count; at least one.
    """
    tables = judgements(study, votes)
    pairwise = study.mode == "pairwise"
    return Summary(
        study,
        len({vote.item for vote in votes}),
        len(votes),
        questions,
        _left(votes),
        preferences.standings(tables[0], study.systems) if pairwise else [],
        preferences.pairs(tables[0], study.systems) if pairwise else [],
        [] if pairwise else [row for table in tables for row in ratings.means(table, study.systems)],
        [raters.together(table) for table in tables],
        [couple for table in tables for couple in raters.couples(table)],
        raters.each(tables),
    )


def _left(votes: Sequence[Vote]) -> float | None:
    answers = Counter(vote.answer for vote in votes if isinstance(vote.answer, str))
    sides = answers["left"] + answers["right"]
    return answers["left"] / sides if sides else None
