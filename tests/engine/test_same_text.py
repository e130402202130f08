"""Same input, same text, on a real model: threads, neighbours, chunks and repetition change nothing."""

from pathlib import Path

import numpy as np
import pytest

import longra
from longra.engine import scheduler

PROMPT = "The history of printing begins with seals pressed into wet clay. " * 20
SETTINGS = {"max_tokens": 60, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "seed": 7, "chat": False}


@pytest.fixture(scope="module")
def model(smollm2: Path) -> longra.Model:
    return longra.load(smollm2, threads=2)


@pytest.fixture(scope="module")
def text(model: longra.Model) -> tuple[int, ...]:
    return model.generate(PROMPT, **SETTINGS).token_ids


def test_one_thread_or_two(smollm2: Path, text: tuple[int, ...]) -> None:
    assert longra.load(smollm2, threads=1).generate(PROMPT, **SETTINGS).token_ids == text


def test_again(model: longra.Model, text: tuple[int, ...]) -> None:
    model.generate("Something else in between.", max_tokens=30, chat=False)
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
