"""Texts of a length, by a real model."""

import re
from pathlib import Path

import pytest

import longra
from longra.errors import ContextError, UsageError
from longra.generation.stream import Stream
from longra.tasks.rounds import Writing
from longra.tasks.writing import plan_text, text
from longra.text.units import count


@pytest.fixture(scope="module")
def model(smollm2: Path) -> longra.Model:
    return longra.load(smollm2, context=700, threads=1)


def test_a_length_is_met_at_the_end_of_a_sentence_or_behind_a_word_if_none_ends(model: longra.Model) -> None:
    for seed in (1, 2):
        writing = text(model, "Tell a short tale of the sea.", length=60, seed=seed)
        pieces = list(writing)
        assert isinstance(writing, Writing)
        result = writing.result
        assert "".join(pieces) == result.text
        length = result.extra["length"]
        late = " ".join(result.text.split()[45:])
        assert result.text[-1] in '.!?"' or (length["reached"] == 60 and not re.search(r"[.!?]", late))
        assert length == {"target": 60, "reached": count(result.text), "unit": "words", "end": "reached"} | {
            "met": abs(length["reached"] - 60) <= 6,
            "rounds": length["rounds"],
        }
        assert 45 <= length["reached"] <= 75
        assert result.finish_reason == "stop"


def test_a_model_that_ends_early_is_asked_to_go_on_and_the_same_seed_gives_the_same_text(smollm2: Path) -> None:
    exact = longra.load(smollm2, context=700, weights="f32")  # one text, whatever the kernels
    asked = {"length": 40, "seed": 3, "temperature": 0}
    result = text(exact, "Answer with one word: what is the capital of Italy?", **asked).wait()
    assert result.extra["length"]["rounds"] > 1
    assert "\n\n" in result.text
    assert result.extra["length"]["reached"] >= 36
    assert text(exact, "Answer with one word: what is the capital of Italy?", **asked).wait().text == result.text


def test_without_a_chat_the_text_goes_on_from_the_request(model: longra.Model) -> None:
    result = text(model, "The history of printing begins", length=30, chat=False, seed=1).wait()
    assert result.text.startswith(" ")
    assert 23 <= result.extra["length"]["reached"] <= 37


def test_a_full_context_ends_the_text_and_is_told(smollm2: Path) -> None:
    small = longra.load(smollm2, context=120, threads=1)
    result = text(small, "Tell a tale of the sea.", length=150, seed=1).wait()
    assert result.extra["length"]["end"] == "context"
    assert not result.extra["length"]["met"]
    assert result.finish_reason == "length"
    with pytest.raises(ContextError):
        text(small, "word " * 200, length=10)


def test_a_model_that_only_repeats_itself_is_left(model: longra.Model) -> None:
    writing = text(model, "Hello", length=90, chat=False, temperature=0, logit_bias=only(model, " sea"))
    result = writing.wait()
    assert result.extra["length"]["end"] == "repetition"
    assert count(result.text) < 60


def only(model: longra.Model, word: str) -> dict[int, float]:
    """Biases that leave a word alone."""
    return {model.tokenizer.encode(word, add_special=False)[0]: 100.0} | dict.fromkeys(model.tokenizer.eos_ids, -100.0)


def test_a_stop_string_ends_the_text(model: longra.Model) -> None:
    result = text(model, "Count from one to twenty.", length=50, seed=1, temperature=0, stop=[" "]).wait()
    assert result.extra["length"]["end"] == "stop"
    assert " " not in result.text


def test_closing_early_keeps_what_there_is(model: longra.Model) -> None:
    writing = text(model, "Tell a tale of the sea.", length=300, seed=1)
    assert isinstance(writing, Writing)
    while writing.written < 5:
        next(writing)
    writing.close()
    assert 5 <= count(writing.result.text) < 100
    assert writing.result.finish_reason == "interrupted"
    assert list(writing) == []


def test_without_a_length_and_a_template_it_is_the_models_own_stream(model: longra.Model) -> None:
    stream = text(model, "Hi", max_tokens=5, temperature=0)
    assert isinstance(stream, Stream)
    assert stream.wait().token_ids == model.generate("Hi", max_tokens=5, temperature=0).token_ids
    raw = text(model, "Once upon", max_tokens=5, temperature=0, chat=False).wait()
    assert raw.text == model.generate("Once upon", max_tokens=5, temperature=0, chat=False).text


def test_a_plan_says_what_is_read_and_how(model: longra.Model) -> None:
    plan = plan_text(model, "写一首诗。", 50, system="You are a poet.", temperature=0.5)
    prompt = model.tokenizer.decode(plan.tokens, skip_special=False)
    assert "<|im_start|>system\nYou are a poet.<|im_end|>" in prompt
    assert "写大约50字。" in prompt
    assert plan.settings["length"] == 50
    assert plan.settings["temperature"] == 0.5
    assert plan.settings["dry_multiplier"] == 0.8
    assert "max_tokens" not in plan.settings


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"length": 0}, "length is 0"),
        ({"template": "code"}, "is for the task code"),
        ({"length": 9, "temprature": 1}, "did you mean temperature"),
        ({"chat": False, "system": "x"}, "needs a chat"),
    ],
)
def test_wrong_wishes(model: longra.Model, how: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        text(model, "Hi", **how)
