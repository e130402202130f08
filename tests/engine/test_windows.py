"""Layers with a window hold what a window can reach, and no more; what they lost is never seen."""

from pathlib import Path

import pytest
from plain import plain_text, run, steps, texts_of, tokens_of
from toy import VOCABULARY, ToyBackend

from longra.backends.base import PAGE_TOKENS
from longra.engine import Engine, Request
from longra.engine.page_folder import PageFolder

WINDOW = 100
REACHED = 3
"""Pages that 100 positions touch at most."""


def tokens(seed: int, count: int) -> list[int]:
    return [(seed * 31 + at * at) % VOCABULARY for at in range(count)]


def engine_at(home: Path | None = None, window: int = WINDOW) -> tuple[Engine, ToyBackend]:
    toy = ToyBackend(window)
    folder = None if home is None else PageFolder(home, b"i" * 16, ToyBackend.page_bytes)
    return Engine(toy, 64, folder), toy


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_prompt_and_its_text_hold_what_a_window_reaches(tmp_path: Path, on_disk: bool) -> None:
    engine, toy = engine_at(tmp_path if on_disk else None)
    request = Request(tokens(1, 1500), texts_of(1, 200))
    most = 0
    for _ in steps(engine, request):
        engine.prefix.flush()
        if request.texts[0].choices:
            most = max(most, len(toy.whole))
    assert tokens_of(request.texts[0]) == plain_text(tokens(1, 1500), 0, 200)
    chunk = 512 // PAGE_TOKENS  # what the last step read leaves when the next page is full
    assert most <= REACHED + (chunk if on_disk else 200 // PAGE_TOKENS + 1)


def test_what_is_scored_holds_what_a_window_reaches() -> None:
    engine, toy = engine_at()
    request = Request(tokens(1, 2000), [])
    for _ in steps(engine, request):
        assert len(toy.whole) <= REACHED + 512 // PAGE_TOKENS


@pytest.mark.parametrize("common", [1400, 700, 130, 63])
def test_a_branch_gets_from_disk_what_memory_let_go(tmp_path: Path, common: int) -> None:
    engine, _ = engine_at(tmp_path)
    run(engine, Request(tokens(1, 1500), texts_of(1, 90)))
    engine.prefix.flush()
    branch = Request(tokens(1, common) + tokens(2, 50), texts_of(2, 90))
    run(engine, branch)
    assert branch.cached_tokens == common
    for text in branch.texts:
        assert tokens_of(text) == plain_text(list(branch.prompt), text.index, 90)


@pytest.mark.parametrize("window", [1, 2, 63, 64, 65, 66])
def test_the_last_position_that_a_window_reaches_is_there(window: int) -> None:
    engine, _ = engine_at(window=window)
    request = Request(tokens(1, 70), texts_of(1, 200))
    run(engine, request)
    assert tokens_of(request.texts[0]) == plain_text(tokens(1, 70), 0, 200)


def test_a_page_stays_whole_while_another_text_is_behind(tmp_path: Path) -> None:
    engine, _ = engine_at(tmp_path)
    ahead, behind = Request(tokens(1, 1000), texts_of(1, 200)), Request(tokens(1, 900), texts_of(1, 100))
    for number, _ in enumerate(steps(engine, ahead)):
        engine.prefix.flush()
        if number == 10:
            engine.scheduler.add(behind)
    assert behind.cached_tokens == 899
    for request in (ahead, behind):
        assert tokens_of(request.texts[0]) == plain_text(list(request.prompt), 0, request.texts[0].most)


@pytest.mark.filterwarnings("error")
def test_what_memory_let_go_is_not_written_when_the_disk_has_lost_it(tmp_path: Path) -> None:
    engine, _ = engine_at(tmp_path)
    run(engine, Request(tokens(1, 1500), texts_of(1, 90)))
    engine.prefix.flush()
    run(engine, Request(tokens(1, 1500), texts_of(1, 2)))
    engine.prefix.flush()
    for file in tmp_path.rglob("*.page"):
        file.unlink()
    run(engine, Request(tokens(1, 1500), texts_of(1, 3)))
    engine.prefix.flush()
    fresh, _ = engine_at(tmp_path)
    request = Request(tokens(1, 1500), texts_of(1, 90))
    run(fresh, request)
    assert tokens_of(request.texts[0]) == plain_text(tokens(1, 1500), 0, 90)


def test_where_the_disk_has_lost_it_a_branch_is_read_anew(tmp_path: Path) -> None:
    engine, toy = engine_at(tmp_path)
    run(engine, Request(tokens(1, 1500), texts_of(1, 90)))
    engine.prefix.flush()
    again = Request(tokens(1, 1500), texts_of(1, 2))
    run(engine, again)  # its older pages slide again
    assert len(toy.whole) < 1500 // PAGE_TOKENS
    for file in tmp_path.rglob("*.page"):
        file.unlink()
    branch = Request(tokens(1, 700) + tokens(2, 50), texts_of(1, 90))
    run(engine, branch)
    assert branch.cached_tokens == 0
    assert tokens_of(branch.texts[0]) == plain_text(list(branch.prompt), 0, 90)


def test_texts_that_share_a_prompt_keep_it_whole_for_each_other() -> None:
    engine, _ = engine_at()
    request = Request(tokens(1, 300), texts_of(3, 150))
    run(engine, request)
    for text in request.texts:
        assert tokens_of(text) == plain_text(tokens(1, 300), text.index, 150)
