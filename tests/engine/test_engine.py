"""The loop on a backend that notices every slip, against the same text made without pages, chunks and neighbours."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import VOCABULARY, ToyBackend, logits_after

from longra.backends.base import PAGE_TOKENS
from longra.engine import Engine, Request, engine
from longra.engine.request import Text
from longra.errors import LongraError
from longra.sampling import GenerationConfig, Sampler

CONFIG = GenerationConfig(temperature=1.0, top_k=0, top_p=1.0, seed=5)
prompts = st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=200)


def texts_of(count: int, most: int) -> list[Text]:
    return [Text(i, Sampler(CONFIG, i), most) for i in range(count)]


def expected_text(prompt: list[int], index: int, most: int, ends: frozenset[int] = frozenset()) -> list[int]:
    """A text straight from the definition."""
    sampler = Sampler(CONFIG, index)
    past = [(token, "prefill") for token in prompt]
    text: list[int] = []
    while len(text) < most and not (text and text[-1] in ends):
        text.append(sampler.choose(logits_after(past)).token)
        past.append((text[-1], "decode"))
    return text


def tokens_of(text: Text) -> list[int]:
    return [choice.token for choice in text.choices]


@pytest.fixture(autouse=True)
def _usual_chunks() -> None:
    assert engine.PREFILL_ROWS == 512  # a test that failed has put it back


@given(prompts, st.integers(1, 5), st.integers(1, 90), st.integers(1, 150))
@settings(max_examples=60, deadline=None)
def test_texts_do_not_depend_on_chunks_pages_and_neighbours(
    prompt: list[int], count: int, most: int, rows: int
) -> None:
    toy = ToyBackend()
    runner = Engine(toy, pages=64)
    request = Request(prompt, texts_of(count, most), frozenset())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "PREFILL_ROWS", rows)
        seen = list(runner.run(request))
    assert [tokens_of(text) for text in request.texts] == [expected_text(prompt, i, most) for i in range(count)]
    assert len(seen) == count * most
    assert {text.finish_reason for text in request.texts} == {"length"}
    assert runner.pool.used == 0


@given(prompts, st.integers(1, 4), st.data())
@settings(max_examples=60, deadline=None)
def test_texts_that_end_at_different_times(prompt: list[int], count: int, data: st.DataObject) -> None:
    """An end token ends one text, the caller's word another; the others go on as if alone."""
    ends = frozenset(range(0, VOCABULARY, 17))
    wanted = {i: data.draw(st.integers(1, 40)) for i in range(count)}
    runner = Engine(ToyBackend(), pages=64)
    request = Request(prompt, texts_of(count, 50), ends)
    for text in runner.run(request):
        if text.finish_reason is None and len(text.choices) == wanted[text.index]:
            text.finish("stop")
    for text in request.texts:
        assert tokens_of(text) == expected_text(prompt, text.index, wanted[text.index], ends)
        assert text.finish_reason == "stop"
    assert runner.pool.used == 0


@given(prompts, st.integers(1, 4), st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_leaving_early_gives_all_pages_back(prompt: list[int], count: int, taken: int) -> None:
    runner = Engine(ToyBackend(), pages=64)
    request = Request(prompt, texts_of(count, 50), frozenset())
    run = runner.run(request)
    for _ in itertools.islice(run, taken):
        pass
    run.close()
    assert runner.pool.used == 0
    assert all(text.finish_reason in ("cancelled", "length", None) for text in request.texts)
    again = Request(prompt, texts_of(1, 5), frozenset())
    list(runner.run(again))
    assert tokens_of(again.texts[0]) == expected_text(prompt, 0, 5)


@pytest.mark.parametrize("fail_at", [0, 1, 2, 5])
def test_a_backend_that_breaks_leaves_no_page_behind(monkeypatch: pytest.MonkeyPatch, fail_at: int) -> None:
    monkeypatch.setattr(engine, "PREFILL_ROWS", 70)
    toy = ToyBackend()
    toy.fail_at = fail_at
    runner = Engine(toy, pages=64)
    with pytest.raises(RuntimeError, match="the toy broke"):
        list(runner.run(Request(list(range(90)), texts_of(3, 10), frozenset())))
    assert runner.pool.used == 0


def test_two_requests_in_turn_do_not_touch_each_other() -> None:
    runner = Engine(ToyBackend(), pages=64)
    first = Request([1, 2, 3] * 40, texts_of(2, 70), frozenset())
    second = Request([1, 2, 3] * 41, texts_of(2, 70), frozenset())
    for _ in itertools.zip_longest(runner.run(first), runner.run(second)):
        pass
    for request in (first, second):
        for text in request.texts:
            assert tokens_of(text) == expected_text(list(request.prompt), text.index, 70)
    assert runner.pool.used == 0


def test_continuations_share_the_prompts_whole_pages_and_copy_the_one_in_the_making() -> None:
    toy = ToyBackend()
    runner = Engine(toy, pages=64)
    run = runner.run(Request([7] * (3 * PAGE_TOKENS + 5), texts_of(4, 10), frozenset()))
    for _ in itertools.islice(run, 8):
        pass
    assert runner.pool.used == 3 + 4
    assert toy.copies == 3  # the last holder keeps the page
    run.close()


def test_a_prompt_that_fills_its_pages_copies_none() -> None:
    toy = ToyBackend()
    list(Engine(toy, pages=64).run(Request([7] * 2 * PAGE_TOKENS, texts_of(3, 5), frozenset())))
    assert toy.copies == 0


def test_prompts_take_the_prefill_arithmetic_in_chunks_and_texts_the_decode_arithmetic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "PREFILL_ROWS", 100)
    toy = ToyBackend()
    list(Engine(toy, pages=64).run(Request([3] * 250, texts_of(2, 3), frozenset())))
    assert toy.steps == [
        ("prefill", [100]),
        ("prefill", [100]),
        ("prefill", [50]),
        ("decode", [1, 1]),
        ("decode", [1, 1]),
    ]


def test_a_full_cache_is_an_error_that_gives_the_pages_back() -> None:
    runner = Engine(ToyBackend(), pages=2)
    request = Request([1] * 100, texts_of(1, 60), frozenset())
    with pytest.raises(LongraError, match="the cache is full"):
        list(runner.run(request))
    assert len(request.texts[0].choices) == 2 * PAGE_TOKENS - 100 + 1  # what there was room for is kept
    assert runner.pool.used == 0


def test_pages_that_were_given_back_are_used_again() -> None:
    runner = Engine(ToyBackend(), pages=3)
    for _ in range(20):
        request = Request([4] * 130, texts_of(1, 40), frozenset())
        list(runner.run(request))
        assert tokens_of(request.texts[0]) == expected_text([4] * 130, 0, 40)


@given(prompts, st.data(), st.integers(1, 150), st.integers(1, 100))
@settings(max_examples=60, deadline=None)
def test_logits_of_any_last_positions(prompt: list[int], data: st.DataObject, rows: int, scored: int) -> None:
    last = data.draw(st.integers(1, len(prompt)))
    runner = Engine(ToyBackend(), pages=64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "PREFILL_ROWS", rows)
        patch.setattr(engine, "SCORED_ROWS", scored)
        found = [row for block in runner.logits(prompt, last) for row in block]
    past = [(token, "prefill") for token in prompt]
    expected = [logits_after(past[: at + 1]) for at in range(len(prompt) - last, len(prompt))]
    assert [row.tolist() for row in found] == [row.tolist() for row in expected]
    assert runner.pool.used == 0
