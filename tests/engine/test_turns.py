"""Who waits for whom: texts take turns, the oldest comes first, and nobody is served after it was cancelled."""

import pytest
from plain import steps, texts_of, tokens_of
from toy import VOCABULARY, ToyBackend

from longra.engine import Engine, Request, scheduler
from longra.engine.speculation import StepTimes


def tokens(seed: int, count: int) -> list[int]:
    return [(seed * 31 + at * at) % VOCABULARY for at in range(count)]


def test_a_text_grows_while_a_long_prompt_is_read() -> None:
    """Every other step is a text's, however long the prompt beside it."""
    engine = Engine(ToyBackend(), 64)
    text, prompt = Request(tokens(1, 5), texts_of(1, 100)), Request(tokens(2, 2048), texts_of(1, 5))
    engine.scheduler.add(text)
    engine.step()
    engine.scheduler.add(prompt)
    before = len(text.texts[0].choices)
    for _ in range(2 * 3):  # 2,048 tokens are four steps
        engine.step()
    assert not prompt.texts[0].choices
    assert len(text.texts[0].choices) >= before + 3


def test_more_texts_than_a_step_takes_grow_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "GROWING_TEXTS", 2)
    monkeypatch.setattr(StepTimes, "expect", lambda _, rows: float(rows))  # no draft pays
    engine = Engine(ToyBackend(), 64)
    request = Request(tokens(1, 5), texts_of(5, 40))
    for _ in steps(engine, request):
        lengths = [len(text.choices) for text in request.texts if text.choices]
        assert not lengths or max(lengths) - min(lengths) <= 1


def test_a_request_waits_where_it_would_take_the_page_that_a_text_grows_into() -> None:
    engine = Engine(ToyBackend(), 4)
    first, second = Request(tokens(1, 100), texts_of(1, 60)), Request(tokens(2, 100), texts_of(1, 5))
    engine.scheduler.add(first)
    engine.step()
    engine.scheduler.add(second)
    while not first.texts[0].finish_reason:
        engine.step()
        assert not second.texts[0].choices
    for _ in steps(engine):
        pass
    assert len(tokens_of(second.texts[0])) == 5


def test_of_those_that_gave_their_pages_back_the_oldest_comes_first() -> None:
    """Three texts outgrow the cache; those that wait stand in the order in which they came."""
    engine = Engine(ToyBackend(), 10)
    requests = [Request(tokens(seed, 100), texts_of(1, 150)) for seed in range(4)]
    for request in requests:
        engine.scheduler.add(request)
    most = 0
    while not engine.scheduler.idle:
        engine.step()
        numbers = [reading.request.number for reading in engine.scheduler.waiting]
        assert numbers == sorted(numbers)
        most = max(most, len(numbers))
    assert most >= 2


def test_what_is_cancelled_during_a_step_gets_nothing_of_it() -> None:
    toy = ToyBackend()
    engine = Engine(toy, 64)
    rows: list[object] = []
    request = Request(tokens(1, 40), [], last=2, take=rows.append)
    engine.scheduler.add(request)
    toy.during = lambda: engine.cancel(request)
    engine.step()
    assert not rows
    assert engine.pool.used == 0
