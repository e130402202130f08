"""Order and sides: drawn, balanced, and the same when items are added."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longra.errors import UsageError
from longra.evaluate.human.items import Item
from longra.evaluate.human.study import CHOICES, Study, check_answer, in_order, sides, tasks

SYSTEMS = ("a", "b", "c")


def items(number: int) -> list[Item]:
    return [Item(str(i), "", {}) for i in range(number)]


def study(seed: int = 1, mode: str = "pairwise") -> Study:
    return Study("pairwise", SYSTEMS, (), seed) if mode == "pairwise" else Study("rating", SYSTEMS, ("x", "y"), seed)


def test_each_pair_of_each_item_is_asked_once() -> None:
    asked = [(task.item.id, task.systems) for task in tasks(study(), items(4))]
    assert sorted(asked) == sorted((str(i), pair) for i in range(4) for pair in combinations(SYSTEMS, 2))
    rated = [(task.item.id, task.systems) for task in tasks(study(mode="rating"), items(4))]
    assert sorted(rated) == sorted((str(i), (system,)) for i in range(4) for system in SYSTEMS)


@given(st.integers(0, 2**31), st.text(max_size=5), st.integers(1, 20))
def test_each_system_of_a_pair_is_as_often_on_the_left(seed: int, rater: str, number: int) -> None:
    drawn = study(seed)
    left = Counter((task.systems, sides(drawn, task, rater)[0]) for task in tasks(drawn, items(number)))
    for pair in combinations(SYSTEMS, 2):
        assert abs(left[pair, pair[0]] - left[pair, pair[1]]) <= number % 2


@given(st.integers(0, 2**31), st.text(max_size=5), st.integers(1, 10), st.integers(0, 10))
def test_added_items_change_nothing_of_the_others(seed: int, rater: str, number: int, more: int) -> None:
    drawn = study(seed)
    before, after = tasks(drawn, items(number)), tasks(drawn, items(number + more))
    known = {task.number for task in before}
    assert [task.number for task in in_order(drawn, after, rater) if task.number in known] == [
        task.number for task in in_order(drawn, before, rater)
    ]
    assert [sides(drawn, task, rater) for task in after[: len(before)]] == [
        sides(drawn, task, rater) for task in before
    ]


def test_raters_and_seeds_differ() -> None:
    everything = tasks(study(), items(30))

    def seen(seed: int, rater: str) -> list[tuple[int, tuple[str, ...]]]:
        drawn = study(seed)
        return [(task.number, sides(drawn, task, rater)) for task in in_order(drawn, everything, rater)]

    assert seen(1, "Ann") == seen(1, "Ann")
    assert len({str(seen(seed, rater)) for seed in (1, 2) for rater in ("Ann", "Bo")}) == 4
    flipped = sum(sides(study(), task, "Ann") != sides(study(), task, "Bo") for task in everything)
    assert 20 < flipped < 70, "sides are drawn anew for each rater"


def test_answers_are_checked() -> None:
    for choice in CHOICES:
        assert check_answer(study(), choice) == choice
    assert check_answer(study(mode="rating"), {"y": 5, "x": 1}) == {"x": 1, "y": 5}


@pytest.mark.parametrize("answer", ["a", "", None, 1, ["left"], {"x": 1}])
def test_wrong_choices(answer: object) -> None:
    with pytest.raises(UsageError, match="one of left, right, tie, both_bad"):
        check_answer(study(), answer)


@pytest.mark.parametrize("answer", ["left", {"x": 1}, {"x": 1, "y": 2, "z": 3}, {"x": 0, "y": 1}, {"x": 6, "y": 1}])
@pytest.mark.parametrize("odd", [None, True, 2.0, "3"])
def test_wrong_ratings(answer: object, odd: object) -> None:
    with pytest.raises(UsageError, match=r"the answer must rate x, y|whole numbers from 1 to 5"):
        check_answer(study(mode="rating"), answer)
    with pytest.raises(UsageError, match="whole numbers from 1 to 5"):
        check_answer(study(mode="rating"), {"x": odd, "y": 1})
