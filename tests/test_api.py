"""The Python interface on a real model."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import longra
from longra.errors import ContextError, ModelNotFoundError, TemplateError, UsageError

PROMPT = "The history of printing begins"
GREEDY: dict[str, Any] = {"temperature": 0, "chat": False}


@pytest.fixture(scope="module")
def model(smollm2: Path) -> longra.Model:
    return longra.load(smollm2)


@pytest.fixture(scope="module")
def auto(smollm2: Path) -> longra.AutoModelForCausalLM:
    return longra.AutoModelForCausalLM.from_pretrained(str(smollm2))


@pytest.fixture(scope="module")
def ids(model: longra.Model) -> list[int]:
    return model.tokenizer.encode(PROMPT)


def test_generate_gives_text_tokens_and_figures(model: longra.Model, ids: list[int]) -> None:
    result = model.generate(PROMPT, max_tokens=12, seed=3, **GREEDY)
    assert str(result) == result.text == model.tokenizer.decode(result.token_ids, continues=True)
    assert result.text.startswith(" ")
    assert len(result.token_ids) == result.completion_tokens == 12
    assert (result.finish_reason, result.seed, result.prompt_tokens) == ("length", 3, len(ids))
    assert result.context_left == model.spec.context - len(ids)
    times = result.timings
    assert min(times.load_seconds, times.time_to_first_token_seconds) > 0
    assert min(times.prefill_tokens_per_second, times.decode_tokens_per_second) > 0


def test_the_greedy_text_is_that_of_the_largest_logits(model: longra.Model, ids: list[int]) -> None:
    first = model.generate(PROMPT, max_tokens=1, **GREEDY).token_ids[0]
    assert first == int(model.logits(ids)[0].argmax())


def test_token_ids_and_text_are_the_same_prompt(model: longra.Model, ids: list[int]) -> None:
    assert model.generate(ids, max_tokens=8, temperature=0).text == model.generate(PROMPT, max_tokens=8, **GREEDY).text


def test_stream_gives_the_pieces_of_the_same_text(model: longra.Model) -> None:
    stream = model.stream(PROMPT, max_tokens=20, **GREEDY)
    pieces = list(stream)
    assert len(pieces) > 5
    assert "".join(pieces) == stream.result.text == model.generate(PROMPT, max_tokens=20, **GREEDY).text


def test_a_stream_left_early_keeps_what_there_is(model: longra.Model) -> None:
    stream = model.stream(PROMPT, max_tokens=200, **GREEDY)
    first = next(iter(stream))
    stream.close()
    assert stream.result.finish_reason == "interrupted"
    assert stream.result.text.startswith(first)
    assert model.engine.pool.used == 0


def test_a_text_is_put_into_the_chat_template_unless_it_is_raw(model: longra.Model) -> None:
    message = [{"role": "user", "content": "Hello"}]
    assert model.encode("Hello") == model.encode(message)
    assert model.encode("Hello", chat=False) == model.tokenizer.encode("Hello")
    with_system = model.encode("Hello", system="Be brief.")
    assert with_system == model.encode([{"role": "system", "content": "Be brief."}, *message])
    assert "Be brief." in model.tokenizer.decode(with_system)


def test_a_stop_string_ends_the_text_before_it(model: longra.Model) -> None:
    whole = model.generate(PROMPT, max_tokens=20, **GREEDY).text
    stop = whole[10:16]  # across tokens
    result = model.generate(PROMPT, max_tokens=20, stop=[stop], **GREEDY)
    assert (result.text, result.finish_reason) == (whole[: whole.find(stop)], "stop")


def test_end_tokens_end_the_text_but_not_before_min_tokens(model: longra.Model) -> None:
    question = "What is 1 + 1? Answer with one number."
    short = model.generate(question, max_tokens=80, temperature=0)
    assert short.finish_reason == "stop"
    assert short.token_ids[-1] in model.tokenizer.eos_ids
    count = len(short.token_ids)
    longer = model.generate(question, max_tokens=count + 20, min_tokens=count + 5, temperature=0)
    assert len(longer.token_ids) > count
    assert longer.token_ids[: count - 1] == short.token_ids[:-1]
    assert not model.tokenizer.eos_ids & set(longer.token_ids[: count + 5])


def test_bias_bans_and_forces(model: longra.Model) -> None:
    usual = model.generate(PROMPT, max_tokens=1, **GREEDY).token_ids[0]
    assert model.generate(PROMPT, max_tokens=5, logit_bias={usual: -100}, **GREEDY).token_ids[0] != usual
    assert set(model.generate(PROMPT, max_tokens=5, logit_bias={345: 100}, **GREEDY).token_ids) == {345}


def test_breakers_are_the_tokens_that_hold_a_mark(model: longra.Model) -> None:
    breakers = model.tokenizer.tokens_with((":", "\n"))
    pieces = {
        model.tokenizer.decode([t], continues=True): t in breakers for t in model.encode("One: two\nthree", chat=False)
    }
    assert {piece for piece, breaks in pieces.items() if breaks} == {":", "\n"}
    assert not all(pieces.values())
    assert len(model.generate(PROMPT, max_tokens=5, dry_multiplier=0.8, **GREEDY).token_ids) == 5


def test_logprobs_agree_with_score(model: longra.Model, ids: list[int]) -> None:
    result = model.generate(PROMPT, max_tokens=6, logprobs=3, **GREEDY)
    assert result.logprobs is not None
    scored = model.score([*ids, *result.token_ids])[len(ids) :]
    for choice, (token, logprob) in zip(result.logprobs, scored, strict=True):
        assert choice.token == token == choice.alternatives[0][0]
        assert choice.logprob == pytest.approx(logprob, abs=0.1)  # decode and prefill arithmetic
        assert len(choice.alternatives) == 3


def test_score_gives_each_tokens_log_probability(model: longra.Model, ids: list[int]) -> None:
    scored = model.score(PROMPT)
    logits = model.logits(ids, last=len(ids)).astype(np.float64)
    assert [token for token, _ in scored] == ids
    assert scored[0][1] is None
    for place in range(1, len(ids)):
        row = logits[place - 1]
        exact = row[ids[place]] - row.max() - math.log(np.exp(row - row.max()).sum())
        assert scored[place][1] == pytest.approx(exact, abs=1e-4)


def test_logits_have_a_row_for_each_position(model: longra.Model, ids: list[int]) -> None:
    whole = model.logits(ids, last=len(ids))
    assert whole.shape == (len(ids), model.engine.backend.vocabulary)
    assert whole.dtype == np.float32
    assert np.array_equal(model.logits(ids[:3])[0], whole[2])


def test_spec_and_weights_tell_of_the_files(model: longra.Model) -> None:
    assert (model.spec.architecture, model.spec.layers, model.spec.context) == ("llama", 30, 8192)
    assert model.weights.format == "gguf"
    assert 4 < model.weights.bits_per_weight < 8


@pytest.mark.parametrize("weights", ["f32", "bf16", "q8", "q4"])
def test_weights_held_in_another_way_are_the_same_model(smollm2: Path, model: longra.Model, weights: str) -> None:
    ids = model.tokenizer.encode("The capital of France is the city of")
    row, other = model.logits(ids)[0], longra.load(smollm2, weights=weights).logits(ids)[0]
    p, q = (np.exp(r.astype(np.float64) - np.logaddexp.reduce(r.astype(np.float64))) for r in (row, other))
    assert float((p * np.log(p / q)).sum()) < (0.5 if weights == "q4" else 0.02)


# The interface of transformers.


def test_the_specifications_program(auto: longra.AutoModelForCausalLM) -> None:
    prompt = "人工智能将会"
    output = auto.generate(prompt, max_length=50)
    assert isinstance(output, str)
    assert output.startswith(prompt)
    assert len(auto.model.tokenizer.encode(output)) <= 50 + 2  # text encoded anew may be cut a little differently


def test_max_length_counts_the_prompt(auto: longra.AutoModelForCausalLM, ids: list[int]) -> None:
    output = auto.generate(ids, max_length=len(ids) + 7)
    assert output[: len(ids)] == ids
    assert len(output) == len(ids) + 7
    assert all(isinstance(token, int) for token in output)
    assert len(auto.generate(ids, max_new_tokens=9)) == len(ids) + 9


def test_ids_in_give_ids_out_in_the_same_shape(auto: longra.AutoModelForCausalLM, ids: list[int]) -> None:
    flat = auto.generate(ids, max_new_tokens=4)
    assert auto.generate([ids], max_new_tokens=4) == [flat]
    assert auto.generate(np.array(ids), max_new_tokens=4) == flat
    assert auto.generate(list(np.array(ids)), max_new_tokens=4) == flat
    assert auto.generate(input_ids=np.array([ids]), max_new_tokens=4) == [flat]
    two = auto.generate(ids, max_new_tokens=4, num_return_sequences=2, do_sample=True, seed=1)
    assert [len(sequence) for sequence in two] == [len(ids) + 4] * 2


def test_it_is_greedy_unless_it_is_to_sample(
    auto: longra.AutoModelForCausalLM, model: longra.Model, caplog: pytest.LogCaptureFixture
) -> None:
    greedy = model.generate(PROMPT, max_tokens=15, **GREEDY).text
    assert auto.generate(PROMPT, max_new_tokens=15) == auto.generate(PROMPT, max_new_tokens=15) == PROMPT + greedy
    assert auto.generate(PROMPT, max_new_tokens=15, temperature=2.0, top_k=3) == PROMPT + greedy
    assert "without temperature, top_k: pass do_sample=True" in caplog.text
    seeds = {auto.generate(PROMPT, max_new_tokens=15, do_sample=True, seed=seed) for seed in range(3)}
    assert len(seeds) == 3


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_length": 3}, "max_length"),
        ({"lenght_penalty": 1.0}, "lenght_penalty"),
        ({"max_new_tokens": 0}, "max_tokens"),
    ],
)
def test_wrong_parameters_of_transformers_interface(
    auto: longra.AutoModelForCausalLM, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        auto.generate(PROMPT, **parameters)


@pytest.mark.parametrize("inputs", [None, 7, [[1], [2]], "", []])
def test_prompts_that_are_none(auto: longra.AutoModelForCausalLM, inputs: Any) -> None:
    with pytest.raises(UsageError):
        auto.generate(inputs)


# Errors.


def test_a_prompt_longer_than_the_context_is_never_cut(model: longra.Model) -> None:
    with pytest.raises(ContextError, match=r"8,192 tokens and .* holds 8,192"):
        model.generate([1] * 8192)
    with pytest.raises(ContextError, match="8,193 tokens"):
        model.logits([1] * 8193)


def test_the_context_ends_a_text_and_the_result_tells(model: longra.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "spec", dataclasses.replace(model.spec, context=64))
    result = model.generate([1] * 61, max_tokens=50, temperature=0, min_tokens=50)
    assert (len(result.token_ids), result.finish_reason, result.context_left) == (3, "length", 3)


@pytest.mark.parametrize(
    ("prompt", "parameters", "message"),
    [
        ("", {"chat": False}, "the prompt is empty"),
        ("", {}, "the prompt is empty"),
        ([], {}, "a prompt must be"),
        ([1.5], {}, "1.5 is no token id"),
        ("x", {"temprature": 1}, "did you mean temperature"),
        ("x", {"top_p": 2}, "top_p is 2"),
        ("x", {"system": "s", "chat": False}, "system"),
        ("x", {"logit_bias": {49152: 1}}, "0 to 49,151"),
        ([49152], {}, "49151"),
        ([-1], {}, "49151"),
        ("a\ud800b", {"chat": False}, "surrogate"),
        (b"Hello", {}, "decode them first"),
        ("x", {"stop": 5}, "stop is 5"),
        ([{"role": "user"}], {}, "message 1 has no content"),
        ([{"content": "Hello"}], {}, "message 1 has no role"),
        ([{"role": "user", "content": "Hello"}, "more"], {}, "message 2 is 'more'"),
        ([{"role": "user", "content": [{"type": "image"}]}], {}, "message 1 is no text"),
        ([{"role": "user", "content": b"Hello"}], {}, "message 1 is no text"),
    ],
)
def test_wrong_calls(model: longra.Model, prompt: Any, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        model.generate(prompt, **parameters)
    assert model.engine.pool.used == 0


def test_last_is_checked(model: longra.Model) -> None:
    for last in (0, 4, 1.5):
        with pytest.raises(UsageError, match="choose 1 to 3"):
            model.logits([1, 2, 3], last=last)  # type: ignore[arg-type]


def test_logits_and_scores_take_no_text_for_ids(model: longra.Model) -> None:
    with pytest.raises(UsageError, match=r"tokenizer\.encode"):
        model.logits("Hello")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"tokenizer\.encode"):
        model.score(b"Hello")


def test_text_parts_of_a_message_are_one_text(model: longra.Model) -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    assert model.encode([{"role": "user", "content": parts}]) == model.encode("Hello")


def test_what_cannot_be_loaded(smollm2: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="smollm2-135m-instruct"):
        longra.load("smollm2-135m-instrukt")
    with pytest.raises(UsageError, match="threads"):
        longra.load(smollm2, threads=0)
    with pytest.raises(UsageError, match="f32, bf16, q8, q4"):
        longra.load(smollm2, weights="q3")
    with pytest.raises(UsageError, match="native or torch"):
        longra.load(smollm2, backend="cuda")  # type: ignore[arg-type]


def test_a_chat_with_a_model_that_has_no_template(model: longra.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "template", None)
    with pytest.raises(TemplateError, match="no chat template"):
        model.generate("x", chat=True)
    assert model.generate("x", max_tokens=2).finish_reason == "length"
