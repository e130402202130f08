"""Traces of a real model. That the kernels' mass is plain attention's, the tests of the kernels show."""

from pathlib import Path

import numpy as np
import pytest

import longra
from longra.attend import look
from longra.attend.trace import trace
from longra.errors import ContextError, UsageError
from longra.sampling import GenerationConfig

SOURCE = "The lamp was kept by Maud. The hotel burned down in 1950.\n\nA loaf with a candle is baked every January."


@pytest.fixture(scope="module")
def model(smollm2: Path) -> longra.Model:
    return longra.load(smollm2)


def test_all_attention_is_there_and_on_what_came_before(model: longra.Model) -> None:
    prompt, text = model.tokenizer.encode(SOURCE), model.tokenizer.encode(" The candle is for Maud.")
    found = trace(model, prompt, text)
    assert b"".join(found.pieces).decode() == SOURCE + " The candle is for Maud."
    assert (found.first, found.mass.shape) == (len(prompt), (len(text), len(prompt) + len(text)))
    assert not found.mass[0].any()
    whole = model.spec.layers * model.spec.heads
    assert found.mass[1:].sum(axis=1) == pytest.approx(np.full(len(text) - 1, whole), rel=1e-3)
    for i, row in enumerate(found.mass[1:], len(prompt)):
        assert row[: i + 1].all()
        assert not row[i + 1 :].any()


def test_the_sentences_are_those_that_generate_writes(model: longra.Model) -> None:
    config = GenerationConfig(max_tokens=24, temperature=0)
    seen = look(model, SOURCE, config)
    assert "".join(drawing.text for drawing in seen.drawings) == model.generate(SOURCE, config, chat=False).text
    assert "".join(seen.passages) == SOURCE
    assert model.engine.pool.used == 0


def test_an_answer_draws_on_the_text_and_not_on_the_question_alone(model: longra.Model) -> None:
    seen = look(model, SOURCE, GenerationConfig(max_tokens=24, temperature=0), prompt="Who kept the lamp?")
    assert "".join(seen.passages) == SOURCE
    assert all(drawing.frame > 0.01 and drawing.drawn > 0.05 for drawing in seen.drawings)


def test_a_text_is_read_with_the_rope_that_it_was_written_with(smollm2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was to grow beyond what plain frequencies hold, and has not."""
    model = longra.load(smollm2, context=9000, rope_scaling="dynamic")
    backend, seen = model.engine.backend, []
    step = backend.step

    def watched(chunks, *others):  # type: ignore[no-untyped-def]
        seen.extend(chunk.extended for chunk in chunks)
        return step(chunks, *others)

    monkeypatch.setattr(backend, "step", watched)
    look(model, SOURCE, GenerationConfig(max_tokens=8500, temperature=0, stop=(".",), min_tokens=1))
    assert set(seen) == {True}


def test_a_given_passage(model: longra.Model) -> None:
    seen = look(model, SOURCE, GenerationConfig(), passage=" Maud kept it. It burned.")
    assert [drawing.text for drawing in seen.drawings] == [" Maud kept it. ", "It burned."]


def test_passages_that_cannot_be_looked_at(model: longra.Model) -> None:
    with pytest.raises(UsageError, match="the passage is empty"):
        look(model, SOURCE, GenerationConfig(), passage="")
    with pytest.raises(ContextError, match="8,192"):
        look(model, SOURCE, GenerationConfig(), passage="word " * 9000)
