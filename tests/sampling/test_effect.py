"""The chances that are shown are those by which tokens are drawn, and each parameter's table says what it does."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_sampling import softmax, top_p

from longra.errors import UsageError
from longra.sampling import GenerationConfig, Sampler
from longra.sampling.effect import OFF, TOWN, Effect, Moment, effect_of, entropy_bits
from longra.sampling.parameters import NUMBERS, PARAMETERS

rows = st.lists(st.floats(-9, 9, width=32), min_size=2, max_size=40).map(lambda values: np.array(values, np.float32))


def test_every_field_is_a_parameter() -> None:
    assert set(PARAMETERS) == {field.name for field in fields(GenerationConfig)}
    GenerationConfig(**{name: getattr(GenerationConfig(), name) for name in NUMBERS})


@given(rows, st.floats(0.1, 3), st.floats(0.05, 1))
def test_chances_are_those_of_the_textbook(row: np.ndarray, temperature: float, mass: float) -> None:
    found = Moment(row).chances(replace(OFF, temperature=temperature, top_p=mass))
    scaled = row / np.float32(temperature)
    whole = softmax(scaled)
    kept = np.flatnonzero(found)
    assert found.sum() == pytest.approx(1)
    assert found[kept] == pytest.approx(whole[kept] / whole[kept].sum())
    order = sorted(range(len(row)), key=lambda token: (-scaled[token], token))
    if abs(np.cumsum(whole[order]) - mass).min() > 1e-6:  # else rounding decides
        assert set(kept) == set(top_p(order, scaled, mass))


@given(rows, st.integers(0, 2**32), st.sampled_from([{}, {"top_k": 3}, {"min_p": 0.2}, {"typical_p": 0.4}]))
def test_what_is_drawn_had_a_chance(row: np.ndarray, seed: int, cuts: dict[str, float]) -> None:
    config = replace(OFF, seed=seed, **cuts)
    sampler = Sampler(config)
    assert all(Moment(row).chances(config)[sampler.choose(row).token] > 0 for _ in range(5))


@given(rows)
def test_greedy_is_certain(row: np.ndarray) -> None:
    chances = Moment(row).chances(replace(OFF, temperature=0))
    assert chances[int(row.argmax())] == 1
    assert entropy_bits(chances) == 0


def test_a_bias_that_bans_all_but_one_leaves_it() -> None:
    chances = Moment(np.zeros(3, np.float32)).chances(replace(OFF, logit_bias={0: -100, 1: -100}))
    assert chances.tolist() == [0, 0, 1]


@pytest.mark.parametrize("name", [name for name, about in PARAMETERS.items() if about.off is not None])
def test_off_changes_nothing(name: str) -> None:
    before, after = effect_of({name: PARAMETERS[name].off}, TOWN)
    assert np.array_equal(before, after)


@pytest.mark.parametrize("name", [name for name, about in PARAMETERS.items() if about.shown is not None])
def test_the_shown_value_has_an_effect(name: str) -> None:
    shown = PARAMETERS[name].shown
    before, after = effect_of({name: {0: shown} if name == "logit_bias" else shown}, TOWN)
    assert np.abs(before - after).max() > 0.01


@pytest.mark.parametrize("name", [name for name in NUMBERS if PARAMETERS[name].shown is None])
def test_what_has_no_effect_on_chances_has_none(name: str) -> None:
    before, after = effect_of({name: 3}, TOWN)
    assert np.array_equal(before, after)


def test_the_penalties_of_the_text_take_the_prompt_for_text() -> None:
    moment = Moment(np.zeros(4, np.float32), prompt=(1,))
    for name in ("presence_penalty", "frequency_penalty"):
        assert effect_of({name: 1}, moment).after[1] < 0.25
    assert np.array_equal(*effect_of({"min_tokens": 9}, moment))  # nothing ends a text here


def test_a_value_out_of_range() -> None:
    with pytest.raises(UsageError, match="top_p is 2"):
        effect_of({"top_p": 2}, TOWN)


def test_the_likeliest_are_those_of_both_sides() -> None:
    effect = Effect(np.array([0.5, 0.3, 0.2, 0]), np.array([0, 0.1, 0.2, 0.7]))
    assert effect.likeliest(1) == [0, 3]
    assert effect.likeliest(9) == [0, 1, 2, 3]
    assert Effect(effect.before, np.array([1.0, 0, 0, 0])).likeliest(2) == [0, 1]


def test_surprise() -> None:
    assert entropy_bits(np.array([0.5, 0.25, 0.25, 0])) == 1.5
