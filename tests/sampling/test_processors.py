"""Penalties and bans against transformers' where it has them, else against naive code."""

import time
from typing import Any

import numpy as np
import plain_sampling as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longra.sampling import GenerationConfig, Sampler
from longra.sampling.dry import LONGEST_RUN, Dry
from longra.sampling.processors import CountPenalty, LogitBias, MinTokens, NoRepeatNgram, RepetitionPenalty

VOCABULARY = 12
tokens = st.lists(st.integers(0, VOCABULARY - 1), max_size=60)
seeds = st.integers(0, 2**32 - 1)


def row_of(seed: int, size: int = VOCABULARY) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3, size).astype(np.float32)


def applied(processor: Any, text: list[int], row: np.ndarray) -> np.ndarray:
    """The row after a processor that has seen the text token by token."""
    for token in text:
        processor.add(token)
    changed = row.copy()
    processor.apply(changed)
    return changed


def theirs(processor: Any, prompt: list[int], row: np.ndarray) -> np.ndarray:
    import torch

    return processor(torch.tensor([prompt]), torch.tensor(row)[None].clone())[0].numpy()


@given(tokens.filter(bool), st.integers(0, 60), seeds, st.floats(0.2, 3.0))
@settings(max_examples=40)
def test_repetition_penalty_is_that_of_transformers(text: list[int], cut: int, seed: int, penalty: float) -> None:
    from transformers import RepetitionPenaltyLogitsProcessor

    ours = applied(RepetitionPenalty(penalty, text[:cut]), text[cut:], row_of(seed))
    assert np.allclose(ours, theirs(RepetitionPenaltyLogitsProcessor(penalty), text, row_of(seed)), rtol=1e-6)


@given(tokens.filter(bool), st.integers(0, 60), seeds, st.integers(1, 5))
@settings(max_examples=40)
def test_no_repeat_ngram_is_that_of_transformers(text: list[int], cut: int, seed: int, size: int) -> None:
    from transformers import NoRepeatNGramLogitsProcessor

    ours = applied(NoRepeatNgram(size, text[:cut]), text[cut:], row_of(seed))
    assert np.array_equal(ours, theirs(NoRepeatNGramLogitsProcessor(size), text, row_of(seed)))


@given(tokens, st.integers(0, 60), st.integers(1, 6))
def test_no_repeat_ngram_bans_what_naive_code_bans(text: list[int], cut: int, size: int) -> None:
    ours = applied(NoRepeatNgram(size, text[:cut]), text[cut:], np.zeros(VOCABULARY, np.float32))
    assert set(np.flatnonzero(ours == -np.inf).tolist()) == plain.no_repeat(text, size)


@given(tokens, tokens, seeds, st.floats(-2, 2), st.floats(-2, 2))
def test_presence_and_frequency_count_the_text_alone(
    prompt: list[int], text: list[int], seed: int, presence: float, frequency: float
) -> None:
    config = GenerationConfig(presence_penalty=presence, frequency_penalty=frequency, temperature=0)
    expected = row_of(seed).astype(np.float64)
    for token in set(text):
        expected[token] -= presence + frequency * text.count(token)
    ours = applied(CountPenalty(config.presence_penalty, config.frequency_penalty), text, row_of(seed))
    assert np.allclose(ours, expected, atol=1e-4)
    if presence or frequency:
        sampler = Sampler(config, 0, prompt)
        for processor in sampler.processors:
            assert np.array_equal(applied(processor, text, row_of(seed)), ours)


@given(tokens, st.integers(0, 60), st.floats(0.1, 3), st.floats(1, 3), st.integers(1, 4), st.sets(st.integers(0, 3)))
@settings(max_examples=200)
def test_dry_is_what_naive_code_says(
    text: list[int], cut: int, multiplier: float, base: float, allowed: int, breakers: set[int]
) -> None:
    text = [token % 5 for token in text]  # few tokens: many repeated runs
    processor = Dry(multiplier, base, allowed, breakers, text[:cut])
    ours = -applied(processor, text[cut:], np.zeros(VOCABULARY, np.float32)).astype(np.float64)
    expected = plain.dry(text, VOCABULARY, multiplier, base, allowed, breakers, LONGEST_RUN)
    assert np.allclose(ours, expected, rtol=1e-5)


def test_dry_of_a_long_text_counts_runs_across_its_growth() -> None:
    text = [1, 2, 3, 4] * 600  # beyond the first allocation of 1024
    processor = Dry(1.0, 1.5, 2, (), text[:1000])
    changed = applied(processor, text[1000:], np.zeros(VOCABULARY, np.float32))
    assert np.flatnonzero(changed).tolist() == [1]
    assert np.isclose(changed[1], -(1.5 ** (LONGEST_RUN - 2)), rtol=1e-5)


def test_dry_of_a_long_prompt_is_ready_at_once() -> None:
    start = time.perf_counter()
    processor = Dry(1.0, 1.1, 60, (), [*range(100)] * 1000)
    assert time.perf_counter() - start < 1  # a pass over the text for each of its tokens takes ten times as long
    changed = applied(processor, [], np.zeros(100, np.float32))
    assert np.flatnonzero(changed).tolist() == [0]


def test_bias_adds_and_minus_a_hundred_bans() -> None:
    row = applied(LogitBias([(1, 2.5), (2, -100.0), (3, -99.0)]), [], np.zeros(5, np.float32))
    assert row.tolist() == [0.0, 2.5, -np.inf, -99.0, 0.0]


def test_min_tokens_bans_the_ends_until_there_are_enough() -> None:
    processor = MinTokens(2, {4, 1})
    for expected in ([1, 4], [1, 4], []):
        row = np.zeros(5, np.float32)
        processor.apply(row)
        assert np.flatnonzero(row == -np.inf).tolist() == expected
        processor.add(0)


@pytest.mark.parametrize("name", ["repetition_penalty", "no_repeat_ngram", "dry_multiplier"])
def test_a_penalty_never_brings_back_a_banned_token(name: str) -> None:
    value = {"repetition_penalty": 0.5, "no_repeat_ngram": 3, "dry_multiplier": 1.0}[name]
    config = GenerationConfig(temperature=0, logit_bias={2: -100.0}, **{name: value})
    row = np.array([0, 1, 9, 0.5], np.float32)
    sampler = Sampler(config, 0, [2, 2, 2])
    assert [sampler.choose(row).token for _ in range(3)].count(2) == 0


def test_the_bans_that_leave_nothing_still_give_a_token() -> None:
    config = GenerationConfig(temperature=0.7, seed=1, logit_bias={0: -100.0, 1: -100.0})
    assert Sampler(config).choose(np.zeros(2, np.float32)).token in (0, 1)
