"""Scores and agreement against published examples, evalica, and their definitions."""

from collections.abc import Sequence

import evalica
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from longra.evaluate.human import bradley_terry
from longra.evaluate.human.agreement import MISSING, Level, alpha, coincidences, kappa
from longra.evaluate.human.figures import Figure, by_item, figures, ratio

BASEBALL = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ],
    np.float64,
)
"""Games of the American League in 1987, in Agresti, Categorical Data Analysis: who won against whom."""

BASEBALL_LOG_STRENGTHS = [1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0.00]
"""As Agresti gives them."""

KRIPPENDORFF = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]
"""Four observers, twelve units, some not judged: example C of Computing Krippendorff's alpha-reliability, 2011."""

EVERYBODY = np.ones((7, 7), bool) & ~np.eye(7, dtype=bool)


def codes(rows: Sequence[str]) -> np.ndarray:
    """[units, raters] from a line for each rater."""
    return np.array([[MISSING if word == "." else int(word) - 1 for word in row.split()] for row in rows]).T


def test_bradley_terry_on_baseball() -> None:
    scores = bradley_terry.scores(BASEBALL - 0.5 * EVERYBODY, EVERYBODY)  # without the ties that scores() adds
    assert scores is not None
    logs = scores / 400 * np.log(10)
    assert [round(float(value - logs[-1]), 2) for value in logs] == BASEBALL_LOG_STRENGTHS


winning = arrays(np.int64, (4, 4), elements=st.integers(0, 9)).map(
    lambda table: table * (1 - np.eye(4, dtype=np.int64))
)


@given(winning)
def test_bradley_terry_is_the_most_likely(wins: np.ndarray) -> None:
    """At the maximum each system wins as often as is to be expected (Ford, 1957)."""
    compared = wins + wins.T > 0
    scores = bradley_terry.scores(wins.astype(np.float64), compared)
    reached = np.linalg.matrix_power(compared + np.eye(4), 4) > 0
    assert (scores is not None) == reached.all()
    if scores is not None:
        won = wins + 0.5 * compared
        expected = (won + won.T) / (1 + 10 ** ((scores - scores[:, None]) / 400))
        assert expected.sum(1) == pytest.approx(won.sum(1), abs=1e-5)
        assert scores.sum() == pytest.approx(0, abs=1e-6)


@given(winning.filter(lambda table: bool(((table + table.T) > 0).sum() == 12)))
def test_bradley_terry_is_evalica_s(wins: np.ndarray) -> None:
    wins = wins.astype(np.float64)
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    tie = evalica.Winner.Draw
    rows = [(i, j, evalica.Winner.X, wins[i, j]) for i, j in pairs] + [(i, j, tie, 1.0) for i, j in pairs if i < j]
    xs, ys, winners, weights = map(list, zip(*rows, strict=True))
    theirs = evalica.bradley_terry(xs, ys, winners, weights=weights, tolerance=1e-12, limit=10_000).scores
    logs = 400 * np.log10(theirs.sort_index().to_numpy())
    assert bradley_terry.scores(wins, wins + wins.T > 0) == pytest.approx(logs - logs.mean(), abs=1e-3)


def test_many_tables_at_once() -> None:
    tables = np.stack([BASEBALL, BASEBALL.T, 2 * BASEBALL])
    scores = bradley_terry.scores(tables, EVERYBODY)
    assert scores is not None
    for table, row in zip(tables, scores, strict=True):
        assert row == pytest.approx(bradley_terry.scores(table, EVERYBODY), abs=1e-5)
    assert scores[1] == pytest.approx(-scores[0], abs=1e-5)


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_alpha_of_four_observers(level: Level, published: float) -> None:
    met = coincidences(codes(KRIPPENDORFF), 5).sum(0)
    assert round(float(alpha(met, level)), 3) == published


@pytest.mark.parametrize(
    ("rows", "published"),
    [
        (["1 2 1 1 1 1 1 1 2 1", "2 2 2 1 1 2 1 1 1 1"], 0.095),  # example A: two observers, two values
        (["1 1 2 2 4 3 3 3 5 4 4 1", "2 1 2 2 2 3 3 3 5 4 4 4"], 0.692),  # example B: two observers, five values
    ],
)
def test_alpha_of_two_observers(rows: list[str], published: float) -> None:
    assert round(float(alpha(coincidences(codes(rows), 5).sum(0), "nominal")), 3) == published


judged = arrays(np.int64, (7, 3), elements=st.integers(MISSING, 3))


@given(judged)
def test_alpha_is_evalica_s(table: np.ndarray) -> None:
    met = coincidences(table, 4).sum(0)
    for level in ("nominal", "ordinal"):
        ours = float(alpha(met, level))
        if np.isnan(ours):
            assert len({value for row in table for value in row if (row >= 0).sum() > 1 and value >= 0}) < 2
        else:
            frame = pd.DataFrame(table.T.astype(object)).where(table.T >= 0)
            assert ours == pytest.approx(evalica.alpha(frame, distance=level).alpha, abs=1e-9)


def raters_of(table: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Two raters whose answers make this table."""
    pairs = [(i, j) for i, row in enumerate(table) for j, number in enumerate(row) for _ in range(number)]
    first, second = np.array(pairs).T
    return first, second


def test_kappa_of_cohen() -> None:
    """The example of Cohen, 1960, in per cent of the judgements; kappa is given as 0.49."""
    first, second = raters_of([[44, 5, 1], [7, 20, 3], [9, 5, 6]])
    found = kappa(first, second, 3, "nominal")
    assert found == pytest.approx((0.70 - 0.41) / (1 - 0.41))


@given(arrays(np.int64, (9, 2), elements=st.integers(0, 4)))
def test_weighted_kappa_is_lin_s_concordance(table: np.ndarray) -> None:
    """With squares as weights the two are the same (Fleiss and Cohen, 1973)."""
    first, second = table.T
    found = kappa(first, second, 5, "ordinal")
    apart = first.var() + second.var() + (first.mean() - second.mean()) ** 2
    assert (found is None) == (apart == 0)
    if found is not None:
        assert found == pytest.approx(2 * ((first - first.mean()) * (second - second.mean())).mean() / apart, abs=1e-12)


def test_kappa_sees_what_both_have_judged() -> None:
    first, second = np.array([0, 1, MISSING, 1]), np.array([0, 1, 0, MISSING])
    assert kappa(first, second, 2, "nominal") == 1
    assert kappa(first[2:], second[2:], 2, "nominal") is None


def test_votes_on_one_item_are_drawn_together() -> None:
    """Ten votes that say the same of one item are one opinion: the interval is as wide as with one vote an item."""
    once = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [0.0, 1.0]])
    (one,), (ten,) = (figures(rows, lambda sums: ratio(sums[..., [0]], sums[..., [1]])) for rows in (once, 10 * once))
    assert one == ten == Figure(0.5, 0.0, 1.0)


def test_a_figure_without_an_interval() -> None:
    rows = np.array([[1.0, 2.0, 0.0]])
    assert figures(rows, lambda sums: sums) == [Figure(1.0), Figure(2.0), Figure(0.0)]
    nothing = figures(np.zeros((3, 2)), lambda sums: ratio(sums[..., [0]], sums[..., [1]]))
    assert nothing == [None]


def test_rows_of_an_item_add_up() -> None:
    units = np.arange(12.0).reshape(3, 2, 2)
    assert by_item(np.array([1, 0, 1]), units).tolist() == [[4, 5, 6, 7], [8, 10, 12, 14]]


@pytest.mark.parametrize(("items", "interval"), [(2, (None, None)), (19, (None, None)), (20, (1.0, 1.0))])
def test_a_few_items_that_are_all_alike_have_no_interval(
    items: int, interval: tuple[float | None, float | None]
) -> None:
    [rate] = figures(np.ones((items, 2)), lambda sums: ratio(sums[..., :1], sums[..., 1:]))
    assert rate is not None
    assert (rate.value, rate.low, rate.high) == (1.0, *interval)
