"""Same input, same text, on a real model: threads, neighbours, chunks and repetition change nothing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import longra
from longra.engine import scheduler

PROMPT = "The history of printing begins with seals pressed into wet clay. " * 20
SETTINGS = {"max_tokens": 60, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "seed": 7, "chat": False}


@pytest.fixture(scope="module")
def loaded(smollm2: Path) -> longra.Model:
    return longra.load(smollm2, threads=2)


@pytest.fixture
def model(loaded: longra.Model) -> longra.Model:
    """With a cache that knows nothing: each text is computed."""
    loaded.engine.prefix.clear()
    return loaded


@pytest.fixture(scope="module")
def text(loaded: longra.Model) -> tuple[int, ...]:
    return loaded.generate(PROMPT, **SETTINGS).token_ids


def test_one_thread_or_two(smollm2: Path, text: tuple[int, ...]) -> None:
    assert longra.load(smollm2, threads=1).generate(PROMPT, **SETTINGS).token_ids == text


def test_again(model: longra.Model, text: tuple[int, ...]) -> None:
    model.generate("Something else in between.", max_tokens=30, chat=False)
    assert model.generate(PROMPT, **SETTINGS).token_ids == text
    assert model.generate(PROMPT, **SETTINGS).token_ids == text


def test_another_seed_gives_another_text(model: longra.Model, text: tuple[int, ...]) -> None:
    assert model.generate(PROMPT, **(SETTINGS | {"seed": 8})).token_ids != text


def test_alone_or_beside_others(model: longra.Model, text: tuple[int, ...]) -> None:
    two = model.generate(PROMPT, num_sequences=2, **SETTINGS)
    four = model.generate(PROMPT, num_sequences=4, **SETTINGS)
    assert four.sequences[0].token_ids == text
    assert [s.token_ids for s in four.sequences[:2]] == [s.token_ids for s in two.sequences]
    assert len({s.token_ids for s in four.sequences}) == 4


@pytest.mark.parametrize("rows", [1000, 64, 37, 5])
def test_the_prompt_in_one_chunk_or_many(
    model: longra.Model, text: tuple[int, ...], monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(scheduler, "PREFILL_ROWS", rows)
    assert model.generate(PROMPT, **SETTINGS).token_ids == text


def test_logits_are_equal_to_the_last_bit_whatever_the_chunks(
    model: longra.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = model.encode(PROMPT, chat=False)
    whole = model.logits(ids, last=40)
    monkeypatch.setattr(scheduler, "PREFILL_ROWS", 33)
    monkeypatch.setattr(scheduler, "SCORED_ROWS", 7)
    assert np.array_equal(model.logits(ids, last=40), whole)
    assert np.array_equal(model.logits(ids, last=1)[0], whole[-1])


def test_nothing_stays_in_the_cache(model: longra.Model) -> None:
    stream = model.stream(PROMPT, **SETTINGS)
    next(iter(stream))
    assert model.engine.pool.used > 0
    stream.close()
    assert model.engine.pool.used == 0
    assert stream.result.finish_reason == "interrupted"


def test_with_drafts_or_without(model: longra.Model) -> None:
    """Drafts come from the text itself, so that they are right until a penalty or a draw says otherwise."""
    settings = {"max_tokens": 80, "seed": 3, "chat": False, "temperature": 0.7, "frequency_penalty": 0.01}
    plain = model.generate(PROMPT, speculation=False, **settings)
    times = model.engine.scheduler.speculation.times
    times.add(1, 1.0)
    times.add(16, 1.0)  # rows that cost nothing: draft whatever can be
    drafted = model.generate(PROMPT, draft_text=plain.text, **settings)
    assert drafted.token_ids == plain.token_ids
    assert drafted.speculation.accepted > 0
    assert plain.speculation.drafted == 0


def test_callers_in_threads_get_what_each_would_get_alone(model: longra.Model, text: tuple[int, ...]) -> None:
    alone = model.score("A short text to score beside the others.")
    with ThreadPoolExecutor(4) as pool:
        texts = [pool.submit(model.generate, PROMPT, **SETTINGS) for _ in range(3)]
        scored = pool.submit(model.score, "A short text to score beside the others.")
        assert [run.result().token_ids for run in texts] == [text] * 3
        assert scored.result() == alone


def test_a_stream_in_asyncio(model: longra.Model) -> None:
    async def read() -> str:
        return "".join([piece async for piece in model.stream(PROMPT, **SETTINGS)])

    assert asyncio.run(read()) == model.generate(PROMPT, **SETTINGS).text
