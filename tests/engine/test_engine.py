"""The loop on a backend that notices every slip, against the same text made without pages, chunks and neighbours."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain import plain_text, run, steps, texts_of, tokens_of
from toy import VOCABULARY, ToyBackend, logits_after

from longra.arrays import Float32
from longra.backends.base import PAGE_TOKENS
from longra.engine import Engine, Request, Text, scheduler
from longra.errors import LongraError

prompts = st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=200)


@pytest.fixture(autouse=True)
def _usual_chunks() -> None:
    assert scheduler.PREFILL_ROWS == 512  # a test that failed has put it back


@given(prompts, st.integers(1, 5), st.integers(1, 90), st.integers(1, 150))
@settings(max_examples=60)
def test_texts_do_not_depend_on_chunks_pages_and_neighbours(
    prompt: list[int], count: int, most: int, rows: int
) -> None:
    toy = ToyBackend()
    runner = Engine(toy, pages=64)
    request = Request(prompt, texts_of(count, most))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scheduler, "PREFILL_ROWS", rows)
        seen: list[Text | None] = []
        request.notify = seen.append
        run(runner, request)
    assert [tokens_of(text) for text in request.texts] == [plain_text(prompt, i, most) for i in range(count)]
    assert len(seen) == count * most + 1
    assert {text.finish_reason for text in request.texts} == {"length"}
    assert runner.pool.used == 0


@given(prompts, st.integers(1, 4), st.data())
@settings(max_examples=60)
def test_texts_that_end_at_different_times(prompt: list[int], count: int, data: st.DataObject) -> None:
    """An end token ends one text, the caller's word another; the others go on as if alone."""
    ends = frozenset(range(0, VOCABULARY, 17))
    wanted = {i: data.draw(st.integers(1, 40)) for i in range(count)}
    runner = Engine(ToyBackend(), pages=64)
    request = Request(prompt, texts_of(count, 50), ends)

    def watch(text: Text) -> None:
        if len(text.choices) == wanted[text.index]:
            text.finish("stop")

    for text in request.texts:
        text.watch = watch
    run(runner, request)
    for text in request.texts:
        assert tokens_of(text) == plain_text(prompt, text.index, wanted[text.index], ends)
        assert text.finish_reason == "stop"
    assert runner.pool.used == 0


@given(prompts, st.integers(1, 4), st.integers(0, 60))
@settings(max_examples=40)
def test_cancelling_gives_all_pages_back_at_once(prompt: list[int], count: int, taken: int) -> None:
    runner = Engine(ToyBackend(), pages=64)
    request = Request(prompt, texts_of(count, 50))
    for _, _ in zip(range(taken), steps(runner, request), strict=False):
        pass
    runner.cancel(request)
    assert runner.pool.used == 0
    assert all(text.finish_reason in ("cancelled", "length") for text in request.texts)
    again = Request(prompt, texts_of(1, 5))
    run(runner, again)
    assert tokens_of(again.texts[0]) == plain_text(prompt, 0, 5)


@pytest.mark.parametrize("fail_at", [0, 1, 2, 5])
def test_a_backend_that_breaks_leaves_no_page_behind(monkeypatch: pytest.MonkeyPatch, fail_at: int) -> None:
    monkeypatch.setattr(scheduler, "PREFILL_ROWS", 70)
    toy = ToyBackend()
    toy.fail_at = fail_at
    runner = Engine(toy, pages=64)
    with pytest.raises(RuntimeError, match="the toy broke"):
        run(runner, Request(list(range(90)), texts_of(3, 10)))
    assert runner.pool.used == 0


def test_two_requests_together_do_not_touch_each_other() -> None:
    runner = Engine(ToyBackend(), pages=64)
    first = Request([1, 2, 3] * 40, texts_of(2, 70))
    second = Request([1, 2, 3] * 41, texts_of(2, 70))
    runner.scheduler.add(first)
    run(runner, second)
    for request in (first, second):
        for text in request.texts:
            assert tokens_of(text) == plain_text(list(request.prompt), text.index, 70)
    assert runner.pool.used == 0


def test_continuations_share_the_prompts_whole_pages_and_copy_the_one_in_the_making() -> None:
    toy = ToyBackend()
    runner = Engine(toy, pages=64)
    request = Request([7] * (3 * PAGE_TOKENS + 5), texts_of(4, 10))
    for _, _ in zip(range(3), steps(runner, request), strict=False):
        pass
    assert runner.pool.used == 3 + 4
    assert toy.copies == 3  # the last holder keeps the page
    runner.cancel(request)


def test_a_prompt_that_fills_its_pages_copies_none() -> None:
    toy = ToyBackend()
    run(Engine(toy, pages=64), Request([7] * 2 * PAGE_TOKENS, texts_of(3, 5)))
    assert toy.copies == 0


def test_prompts_take_the_prefill_arithmetic_in_chunks_and_texts_the_decode_arithmetic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scheduler, "PREFILL_ROWS", 100)
    toy = ToyBackend()
    run(Engine(toy, pages=64), Request([3] * 250, texts_of(2, 3)))
    assert toy.steps == [
        ("prefill", [100]),
        ("prefill", [100]),
        ("prefill", [50]),
        ("decode", [1, 1]),
        ("decode", [1, 1]),
    ]


def test_what_could_outgrow_the_cache_is_refused_at_once() -> None:
    runner = Engine(ToyBackend(), pages=2)
    with pytest.raises(LongraError, match=r"the prompt has 100 tokens and may grow to 130; the cache holds 128 "):
        runner.submit(Request([1] * 100, texts_of(1, 30)))
    assert runner.scheduler.idle
    fits = Request([1] * 100, texts_of(1, 29))
    run(runner, fits)
    assert tokens_of(fits.texts[0]) == plain_text([1] * 100, 0, 29)


def test_pages_that_were_given_back_are_used_again() -> None:
    runner = Engine(ToyBackend(), pages=3)
    for _ in range(20):
        request = Request([4] * 130, texts_of(1, 40))
        run(runner, request)
        assert tokens_of(request.texts[0]) == plain_text([4] * 130, 0, 40)


@given(prompts, st.data(), st.integers(1, 150), st.integers(1, 100))
@settings(max_examples=60)
def test_logits_of_any_last_positions(prompt: list[int], data: st.DataObject, rows: int, scored: int) -> None:
    last = data.draw(st.integers(1, len(prompt)))
    runner = Engine(ToyBackend(), pages=64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scheduler, "PREFILL_ROWS", rows)
        patch.setattr(scheduler, "SCORED_ROWS", scored)
        blocks: list[Float32] = []
        run(runner, Request(prompt, [], last=last, take=blocks.append))
    found = [row for block in blocks for row in block]
    past = [(token, "prefill") for token in prompt]
    expected = [logits_after(past[: at + 1]) for at in range(len(prompt) - last, len(prompt))]
    assert [row.tolist() for row in found] == [row.tolist() for row in expected]
    assert runner.pool.used == 0
