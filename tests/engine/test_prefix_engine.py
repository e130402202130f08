"""The prefix cache under the scheduler: requests that share beginnings, come and go, with room for a few of them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain import plain_text, run, steps, texts_of, tokens_of
from toy import VOCABULARY, ToyBackend

from longra.engine import Engine, Request
from longra.engine.page_folder import PageFolder

ROOM = 12  # pages: a few texts


def engine_at(home: Path | None = None, pages: int = ROOM, strict: bool = True, window: int | None = None) -> Engine:
    folder = None if home is None else PageFolder(home, b"i" * 16, ToyBackend.page_bytes)
    return Engine(ToyBackend(window), pages, folder, strict)


def tokens(seed: int, count: int) -> list[int]:
    return [(seed * 31 + at * at) % VOCABULARY for at in range(count)]


def all_free(engine: Engine) -> bool:
    """Nothing is held, and every page can be taken."""
    return engine.pool.used == 0 and len({engine.pool.take() for _ in range(engine.pool.limit)}) == engine.pool.limit


orders = st.lists(
    st.tuples(
        st.integers(0, 3),  # which beginning
        st.integers(0, 260),  # how much of it
        st.integers(1, 60),  # tokens of its own
        st.integers(1, 3),  # texts
        st.integers(1, 60),  # new tokens at most
        st.one_of(st.none(), st.integers(0, 40)),  # cancelled after so many steps
        st.integers(0, 20),  # steps before the next one comes
    ),
    min_size=1,
    max_size=8,
)


windows = st.none() | st.sampled_from([1, 2, 66, 100])


@given(orders, st.booleans(), windows)
@settings(max_examples=60)
def test_any_schedule_gives_the_texts_of_a_fresh_run(
    tmp_path_factory: pytest.TempPathFactory, schedule: list[tuple[int, ...]], on_disk: bool, window: int | None
) -> None:
    engine = engine_at(tmp_path_factory.mktemp("cache") if on_disk else None, window=window)
    requests: list[tuple[Request, int]] = []
    cancels: dict[int, list[Request]] = {}
    at = 0
    for number, (which, start, own, count, most, cancelled, pause) in enumerate(schedule):
        request = Request(tokens(which, 260)[:start] + tokens(10 + number, own), texts_of(count, most))
        engine.scheduler.add(request)
        requests.append((request, most))
        if cancelled is not None:
            cancels.setdefault(at + cancelled, []).append(request)
        for _ in range(pause):
            engine.step()
            at += 1
            for ended in cancels.pop(at, []):
                engine.cancel(ended)
    for _ in steps(engine):
        at += 1
        for ended in cancels.pop(at, []):
            engine.cancel(ended)
    for request, most in requests:
        assert request.error is None
        for text in request.texts:
            expected = plain_text(list(request.prompt), text.index, most)
            made = tokens_of(text)
            assert made == expected[: len(made)]
            assert len(made) == most or text.finish_reason == "cancelled"
    engine.prefix.flush()
    assert all_free(engine)


def test_a_text_that_gave_its_pages_back_finds_them_again() -> None:
    """Two texts that do not fit together: the younger is put back, and what it had need not be computed again."""
    engine = engine_at(pages=8)
    older, younger = Request(tokens(1, 120), texts_of(1, 150)), Request(tokens(2, 120), texts_of(1, 150))
    for request in (older, younger):
        engine.scheduler.add(request)
    for _ in steps(engine):
        pass
    for request in (older, younger):
        assert tokens_of(request.texts[0]) == plain_text(list(request.prompt), 0, 150)
    assert younger.cached_tokens > 0
    assert all_free(engine)


def test_what_is_known_is_told_and_not_computed() -> None:
    engine = engine_at(pages=64)
    prompt = tokens(1, 200)
    first, second = Request(prompt, texts_of(1, 3)), Request(prompt, texts_of(2, 3))
    run(engine, first)
    run(engine, second)
    assert (first.cached_tokens, second.cached_tokens) == (0, 199)
    toy = engine.backend
    assert isinstance(toy, ToyBackend)
    assert [rows for kind, rows in toy.steps if kind == "prefill"] == [[200], [1]]


def test_a_cancelled_prompt_is_not_read_twice() -> None:
    engine = engine_at(pages=64)
    request = Request(tokens(1, 2000), texts_of(1, 3))
    engine.scheduler.add(request)
    engine.step()
    engine.cancel(request)
    again = Request(tokens(1, 2000), texts_of(1, 3))
    run(engine, again)
    assert again.cached_tokens == 512
    assert tokens_of(again.texts[0]) == plain_text(tokens(1, 2000), 0, 3)


def test_a_prompt_that_fills_the_cache_runs_though_half_a_page_of_it_is_known() -> None:
    """A page of which a part is used is copied; where there is no room for the copy it is computed."""
    engine = engine_at(pages=4)
    run(engine, Request(tokens(1, 250), texts_of(1, 2)))
    again = Request([*tokens(1, 230), 1, 2, 3], texts_of(1, 20))
    run(engine, again)
    assert tokens_of(again.texts[0]) == plain_text(list(again.prompt), 0, 20)
    assert all_free(engine)


def test_what_is_scored_comes_from_prefill_and_is_not_kept() -> None:
    engine = engine_at(pages=64, strict=False)
    prompt = tokens(1, 100)
    request = Request(prompt, texts_of(1, 80))
    run(engine, request)
    whole = [*prompt, *tokens_of(request.texts[0])]
    kept = len(engine.prefix)
    rows: list[list[float]] = []
    run(engine, Request(whole, [], last=2, take=lambda block: rows.extend(block.tolist())))
    other: list[list[float]] = []
    fresh = engine_at(pages=64)
    run(fresh, Request(whole, [], last=2, take=lambda block: other.extend(block.tolist())))
    assert rows == other
    assert len(engine.prefix) == kept
    assert len(fresh.prefix) == 0


def test_not_strict_the_next_turn_uses_what_decode_made() -> None:
    engine = engine_at(pages=64, strict=False)
    prompt = tokens(1, 100)
    request = Request(prompt, texts_of(1, 80))
    run(engine, request)
    turn = Request([*prompt, *tokens_of(request.texts[0]), 5, 6], texts_of(2, 20))
    run(engine, turn)
    assert turn.cached_tokens == 179
    assert tokens_of(turn.texts[0]) != plain_text(list(turn.prompt), 0, 20)  # the toy shows what bits may hide
    engine.prefix.strict = True  # what both texts have left is not taken for prefill's
    again = Request(turn.prompt, texts_of(1, 20))
    run(engine, again)
    assert again.cached_tokens == 100
    assert tokens_of(again.texts[0]) == plain_text(list(turn.prompt), 0, 20)
