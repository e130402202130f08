"""Guesses from what a text repeats, when they are run, and that they save steps."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain import plain_text, run, texts_of, tokens_of
from toy import ToyBackend

from longra.engine import Engine, Request
from longra.engine.drafts import Drafts
from longra.engine.speculation import Speculation, StepTimes


def following(text: list[int], past: list[int] | None = None) -> Drafts:
    drafts = Drafts(past or ()).fork()
    for token in text:
        drafts.add(token)
    return drafts


def guessed(drafts: Drafts, most: int = 5) -> list[int]:
    return [token for token, _ in drafts.guess(most)]


def see(times: StepTimes, rows: int, seconds: float) -> None:
    """Steps with so many rows always took so long."""
    for _ in range(60):
        times.add(rows, seconds)


def test_what_followed_the_same_run_before_is_guessed() -> None:
    assert guessed(following([1, 2, 3, 4, 5, 6, 7, 1, 2, 3])) == [4, 5, 6, 7, 1]
    assert guessed(following([1, 2, 3, 4, 5, 1, 2])) == []


def test_the_longest_run_wins_and_among_equals_the_last() -> None:
    assert guessed(following([9, 1, 2, 3, 4, 7, 1, 2, 3, 5, 9, 1, 2, 3]), 1) == [4]
    assert guessed(following([8, 1, 2, 3, 4, 7, 1, 2, 3, 5, 6, 1, 2, 3]), 1) == [5]


def test_a_file_is_guessed_from_but_not_across_its_end() -> None:
    assert guessed(following([1, 2, 3], past=[0, 1, 2, 3, 4, 5])) == [4, 5]


def test_a_copy_goes_on_after_a_word_that_was_replaced() -> None:
    assert guessed(following([1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 99, 5]), 3) == [6, 7, 8]


def test_chances_fall_along_a_guess_and_rise_with_what_was_right() -> None:
    drafts = following([*range(60), 0, 1, 2])
    before = [chance for _, chance in drafts.guess(6)]
    assert before == sorted(before, reverse=True)
    for token in range(3, 50):
        drafts.add(token)
    assert drafts.guess(1)[0][1] > before[0]


@given(st.lists(st.integers(0, 3), max_size=200), st.lists(st.integers(0, 3), max_size=30))
def test_any_text_can_be_followed(text: list[int], past: list[int]) -> None:
    drafts = Drafts(past).fork()
    for token in text:
        drafts.add(token)
        found = drafts.guess(4)
        assert all(0 <= guess <= 3 and 0 < chance <= 1 for guess, chance in found)


def test_thirty_two_thousand_tokens_take_no_more_than_seconds() -> None:
    start = time.perf_counter()
    following([(i * i) % 1009 for i in range(32_000)])
    assert time.perf_counter() - start < 4


def test_costs_of_steps_that_were_not_seen_lie_on_lines_between_those_that_were() -> None:
    times = StepTimes()
    assert times.expect(1) is None
    times.add(1, 1.0)
    assert times.expect(3) == pytest.approx(1.5)
    see(times, 5, 3.0)
    assert times.expect(3) == pytest.approx(2.0, rel=0.01)
    assert times.expect(9) == pytest.approx(5.0, rel=0.01)


def test_one_slow_step_is_not_believed_but_many_are() -> None:
    """The first step with so many rows touches memory for the first time, or meets a busy machine."""
    times = StepTimes()
    times.add(1, 1.0)
    times.add(4, 10.0)
    assert (times.expect(4) or 0) < 3
    times.add(4, 1.5)
    assert (times.expect(4) or 0) < 2.2
    see(times, 4, 10.0)
    assert times.expect(4) == pytest.approx(10, rel=0.05)


def test_drafts_are_left_where_rows_cost_too_much() -> None:
    text = texts_of(1, 50)[0]
    engine = Engine(ToyBackend(), pages=9)
    request = Request([1, 2, 3, 4, 5, 6] * 5, [text], corpus=Drafts())
    engine.scheduler.add(request)
    engine.step()
    assert text.sequence is not None
    text.sequence.tokens[-1] = 1  # as if it had been chosen
    for cost, pays in ((0.1, True), (1.0, False)):
        speculation = Speculation()
        for rows in (1, 16):
            see(speculation.times, rows, 1 + cost * (rows - 1))
        assert bool(speculation.choose([text], 1)[0]) == pays
        assert not speculation.choose([text], 16)[0]


def test_a_text_that_repeats_takes_fewer_steps_and_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StepTimes, "expect", lambda _, rows: 1 + 0.01 * rows)
    plain = plain_text([5] * 20, 0, 120)
    toy = ToyBackend()
    request = Request([5] * 20, texts_of(1, 120), corpus=Drafts(plain))
    run(Engine(toy, pages=20), request)
    text = request.texts[0]
    assert tokens_of(text) == plain
    assert text.accepted > 60
    assert len(toy.steps) == 1 + 119 - text.accepted
    assert all(sum(rows) <= 16 for kind, rows in toy.steps if kind == "decode")
    used = sum(sum(rows) for kind, rows in toy.steps if kind == "decode")
    assert used == len(toy.steps) - 1 + text.drafted
    assert len(toy.pages) == 20
