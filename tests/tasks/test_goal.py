"""Where a text ends that is to have a length."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longra.errors import UsageError
from longra.tasks.goal import Goal, goal_for
from longra.text.units import count

SENTENCES = st.lists(st.integers(1, 20).map(lambda n: " ".join(["word"] * n) + "."), min_size=1, max_size=12)


def ended(goal: Goal, text: str, step: int) -> tuple[int, int] | None:
    """Where the text is ended when it comes in pieces, and how many words had come then."""
    for end in range(step, len(text) + step, step):
        place = goal.end(text[:end])
        if place is not None:
            return place, count(text[:end])
    return None


@settings(max_examples=60)
@given(sentences=SENTENCES, length=st.integers(1, 90), step=st.integers(3, 50))
def test_a_text_ends_with_the_sentence_nearest_to_the_length(sentences: list[str], length: int, step: int) -> None:
    text = " ".join(sentences)
    found = ended(Goal(length, "words"), text, step)
    sizes = [count(" ".join(sentences[: n + 1])) for n in range(len(sentences) - 1)]  # what follows the last is unknown
    off = min((abs(size - length) for size in sizes), default=length)
    if found is None:
        assert count(text) <= length * 1.25 or off > 0.25 * length or off > count(text) - length
        return
    place, seen = found
    reached = count(text[:place])
    if text[place - 1] == ".":
        assert abs(reached - length) == off
    else:
        assert reached == length
        assert off > 0.2 * length - 1
    assert seen <= max(reached, 2 * length - reached, 1.25 * length) + step


@settings(max_examples=60)
@given(sentences=SENTENCES, length=st.integers(1, 90))
def test_a_text_that_has_ended_stays_if_it_is_long_enough(sentences: list[str], length: int) -> None:
    text = " ".join(sentences)
    place = Goal(length, "words").end(text, ended=True)
    assert (place is None) == (count(text) < 0.9 * length)
    if place is not None:
        ends = [count(" ".join(sentences[: n + 1])) for n in range(len(sentences))]
        near = [abs(end - length) for end in ends if end >= int(0.75 * length)]
        assert abs(count(text[:place]) - length) == min(near)


def test_what_is_no_end_is_none() -> None:
    goal = Goal(9, "words")
    assert goal.end("We met Dr. Li at 3.14 p.m. by the") is None
    assert Goal(6, "words").end('She said "Stop it at once!" he') is None
    text = '她说："马上停下来！"然后走了。他'
    assert text[: Goal(7, "characters").end(text) or 0] == '她说："马上停下来！"'


@pytest.mark.parametrize(
    ("request_", "unit"), [("写一篇 essay。", "characters"), ("Write 一 essay on 长城", "words"), ("", "words")]
)
def test_the_request_says_what_is_counted(request_: str, unit: str) -> None:
    assert goal_for(request_, 5).unit == unit


def test_a_length_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="the length is 0; it must be 1 or more"):
        goal_for("a", 0)


def test_met_is_within_a_tenth() -> None:
    goal = Goal(100, "words")
    assert [goal.report("word " * n)["met"] for n in (89, 90, 110, 111)] == [False, True, True, False]
    assert goal.report("word " * 89) == {"target": 100, "reached": 89, "unit": "words", "met": False}
