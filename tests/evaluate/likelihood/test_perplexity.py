"""Perplexity equals what Model.score and transformers give for the same windows."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from reading import tiny_model

import longra
from longra.errors import UsageError
from longra.evaluate.likelihood.perplexity import Scoring
from longra.evaluate.likelihood.windows import windows

TEXT = "It was late, and 灯塔 stood in the rain. Nobody had come for years; the keeper read his own diaries aloud."


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[longra.Model, Any]:
    return tiny_model(tmp_path_factory.mktemp("tiny"))


@given(st.integers(2, 300), st.integers(2, 80), st.integers(1, 80), st.booleans())
def test_each_token_is_scored_once_with_the_context_that_is_said(
    count: int, room: int, stride: int, begins: bool
) -> None:
    stride = min(stride, room - (not begins))
    scored: list[int] = []
    for window in windows(count, room, stride, begins):
        assert 0 <= window.start < window.end <= min(count, window.start + room)
        mine = range(window.end - window.scored, window.end)
        assert all(token - window.start >= (min(token, room - stride) if token >= room else 0) for token in mine)
        scored += mine
    assert scored == list(range(0 if begins else 1, count))


def test_one_window_is_model_score(smollm2: Path) -> None:
    model = longra.load(smollm2, threads=1)
    result = Scoring(model, TEXT, window=200).run()
    expected = [log for _, log in model.score(TEXT) if log is not None]
    assert result.tokens == len(expected)
    assert result.nats == pytest.approx(-sum(expected), rel=1e-6)
    assert result.per_token == pytest.approx(math.exp(-sum(expected) / len(expected)), rel=1e-6)


def test_a_window_begins_with_the_token_that_begins_a_text(gemma: Path) -> None:
    model = longra.load(gemma, threads=1)
    result = Scoring(model, TEXT, window=200).run()
    expected = [log for _, log in model.score(TEXT) if log is not None]
    assert result.begins
    assert result.tokens == len(model.tokenizer.encode(TEXT, add_special=False))
    assert result.nats == pytest.approx(-sum(expected), rel=1e-6)
    assert result.bytes == len(TEXT.encode())
    narrow = Scoring(model, TEXT, window=12, stride=5)
    assert max(len(narrow.begin) + window.end - window.start for window in narrow.plan) == 12
    tokens, nats = model.tokenizer.encode(TEXT, add_special=False), 0.0
    for window in narrow.plan:
        logs = [log for _, log in model.score([*narrow.begin, *tokens[window.start : window.end]]) if log is not None]
        nats -= sum(logs[-window.scored :])
    assert narrow.run().nats == pytest.approx(nats, rel=1e-6)


@pytest.mark.parametrize(("window", "stride"), [(32, 16), (32, 31), (40, 7), (512, 100)])
def test_strided_as_transformers_documents_it(tiny: tuple[longra.Model, Any], window: int, stride: int) -> None:
    model, reference = tiny
    tokens = torch.tensor([list(model.tokenizer.encode(TEXT))])
    size, done, nats = tokens.shape[1], 0, 0.0
    for begin in range(0, size, stride):
        end = min(begin + window, size)
        labels = tokens[:, begin:end].clone()
        labels[:, : -(end - done)] = -100
        with torch.no_grad():
            loss = reference(tokens[:, begin:end], labels=labels).loss
        nats += float(loss) * int((labels[:, 1:] != -100).sum())
        done = end
        if end == size:
            break
    result = Scoring(model, TEXT, window, stride).run()
    assert result.tokens == size - 1
    assert result.nats == pytest.approx(nats, rel=1e-5)


def test_per_token_word_character_and_byte(tiny: tuple[longra.Model, Any]) -> None:
    result = Scoring(tiny[0], TEXT).run()
    scored = TEXT[1:]  # a token is a byte here, and the first one has nothing before it
    assert (result.bytes, result.characters) == (len(scored.encode()), len(scored))
    assert (result.unit, result.units) == ("words", 22)
    assert result.per_token == pytest.approx(math.exp(result.nats / len(scored.encode())))
    assert result.per_unit == math.exp(result.nats / 22)
    assert result.bits_per_byte == result.nats / math.log(2) / len(scored.encode())
    assert result.bits_per_character == result.nats / math.log(2) / len(scored)
    assert Scoring(tiny[0], "...").run().per_unit is None
    chinese = Scoring(tiny[0], "一二三四五。").run()
    assert (chinese.unit, chinese.units) == ("characters", 4)  # of the first, a byte is missing


def test_what_is_scored_before_an_interruption_is_kept(tiny: tuple[longra.Model, Any]) -> None:
    scoring = Scoring(tiny[0], TEXT, 32, 16)
    read = 0

    def advance(count: int) -> None:
        nonlocal read
        read += count
        if read > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scoring.run(advance)
    part = scoring.result()
    assert not part.complete
    assert part.tokens == 31 + 16
    whole = Scoring(tiny[0], TEXT.encode()[:48].decode(), 32, 16).run()
    assert part.nats == pytest.approx(whole.nats, rel=1e-6)
    done: list[int] = []
    again = Scoring(tiny[0], TEXT, 32, 16)
    assert again.run(done.append).complete
    assert sum(done) == again.work


def test_a_run_goes_on_from_the_windows_that_it_has_kept(tiny: tuple[longra.Model, Any]) -> None:
    rows: list[dict[str, Any]] = []
    whole = Scoring(tiny[0], TEXT, 32, 16).run(keep=rows.append)
    later = Scoring(tiny[0], TEXT, 32, 16)
    later.resume(rows[:2])
    assert later.work == (len(rows) - 2) * 32 - (len(rows) * 16 + 16 - len(later.tokens))
    result = later.run()
    assert result.nats == pytest.approx(whole.nats)
    assert (result.tokens, result.complete) == (whole.tokens, True)
    assert Scoring(tiny[0], TEXT + "!", 32, 16).run_of != later.run_of


@pytest.mark.parametrize(
    ("window", "stride", "text", "says"),
    [
        (1, None, TEXT, "--window 1 is out of range"),
        (513, None, TEXT, "holds 512 tokens, choose 2 to 512"),
        (64, 64, TEXT, "--stride 64 is out of range; choose 1 to 63"),
        (64, 0, TEXT, "--stride 0 is out of range"),
        (None, None, "a", "too few tokens"),
    ],
)
def test_errors(tiny: tuple[longra.Model, Any], window: int | None, stride: int | None, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Scoring(tiny[0], text, window, stride)
