"""Each cut against its plain reference, over random rows with ties, minus infinities and wide and narrow spreads."""

import numpy as np
import plain_sampling as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from longra.sampling import GenerationConfig, truncation
from longra.sampling.sampler import candidates_of


@st.composite
def rows(draw: st.DrawFn, largest: int = 400) -> np.ndarray:
    """Logits float32 [n], often with equal values and banned tokens."""
    size = draw(st.integers(1, largest))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    row = random.normal(0, draw(st.sampled_from([0.01, 1.0, 4.0, 30.0])), size)
    if draw(st.booleans()):
        row = np.round(row * 2) / 2  # many ties
    row = row.astype(np.float32)
    if draw(st.booleans()):
        row[random.random(size) < 0.3] = -np.inf
        row[int(random.integers(size))] = 1.0
    return row


def everything(row: np.ndarray) -> truncation.Candidates:
    return truncation.ordered(row, np.arange(len(row)))


@given(rows())
def test_candidates_come_in_falling_order_and_ties_by_id(row: np.ndarray) -> None:
    assert everything(row).ids.tolist() == plain.order(row)


@given(arrays(np.float32, st.integers(0, 80), elements=st.floats(width=32, allow_nan=False)))
def test_rising_is_a_stable_sort(values: np.ndarray) -> None:
    values = np.concatenate([values, values[::2], np.array([0.0, -0.0], np.float32)])
    assert truncation.rising(values).tolist() == np.argsort(values, kind="stable").tolist()


@given(rows(3000), st.integers(1, 300))
def test_top_k(row: np.ndarray, k: int) -> None:
    assert truncation.most_likely(row, k).ids.tolist() == plain.top_k(row, k)


def test_top_k_of_a_whole_vocabulary_of_equal_logits_takes_the_lowest_ids() -> None:
    assert truncation.most_likely(np.zeros(151_936, np.float32), 7).ids.tolist() == list(range(7))


@pytest.mark.parametrize("size", [151_936, 151_937, 64 * 40, 64 * 40 + 63])
def test_top_k_finds_a_token_in_the_last_and_in_a_crowded_block(size: int) -> None:
    row = np.random.default_rng(3).normal(size=size).astype(np.float32)
    row[-1] = 20.0
    row[640:700] = np.linspace(10, 12, 60, dtype=np.float32)
    assert truncation.most_likely(row, 40).ids.tolist() == plain.top_k(row, 40)


@given(rows(), st.floats(0.01, 0.999))
def test_top_p(row: np.ndarray, mass: float) -> None:
    candidates = everything(row)
    ours = truncation.top_p(candidates, mass, candidates.probabilities()).ids.tolist()
    assert_same_but_for_rounding(ours, plain.top_p(plain.order(row), row, mass), row)


@given(rows(), st.floats(0.01, 0.999), st.floats(0.2, 3.0))
@settings(max_examples=200)
def test_top_p_alone_over_the_whole_vocabulary(row: np.ndarray, mass: float, temperature: float) -> None:
    config = GenerationConfig(temperature=temperature, top_k=0, top_p=mass, seed=0)
    scaled = row / np.float32(temperature)
    ours = candidates_of(row, config).ids.tolist()
    assert_same_but_for_rounding(ours, plain.top_p(plain.order(row), scaled, mass), row)


@given(rows(), st.floats(0.001, 1.0))
def test_min_p(row: np.ndarray, share: float) -> None:
    ours = truncation.min_p(everything(row), share).ids.tolist()
    assert_same_but_for_rounding(ours, plain.min_p(plain.order(row), row, share), row)


@given(rows(), st.floats(0.001, 1.0), st.floats(0.2, 3.0))
def test_min_p_alone_over_the_whole_vocabulary(row: np.ndarray, share: float, temperature: float) -> None:
    config = GenerationConfig(temperature=temperature, top_k=0, top_p=1, min_p=share, seed=0)
    scaled = row / np.float32(temperature)
    ours = candidates_of(row, config).ids.tolist()
    assert_same_but_for_rounding(ours, plain.min_p(plain.order(row), scaled, share), row)


@given(rows(60), st.floats(0.05, 0.999))
def test_typical_p(row: np.ndarray, mass: float) -> None:
    ours = truncation.typical_p(everything(row), mass).ids.tolist()
    expected = plain.typical_p(plain.order(row), row, mass)
    # Which of several equal tokens is nearest hangs on the last bit: compare what they are worth.
    assert len(ours) == len(expected)
    assert np.allclose(np.sort(row[ours]), np.sort(row[expected]), atol=1e-3)


@given(
    rows(),
    st.integers(0, 50),
    st.floats(0.1, 1.0),
    st.floats(0.0, 0.5),
    st.floats(0.2, 3.0),
)
@settings(max_examples=200)
def test_the_cuts_in_order(row: np.ndarray, k: int, mass: float, share: float, temperature: float) -> None:
    config = GenerationConfig(temperature=temperature, top_k=k, top_p=mass, min_p=share, seed=0)
    scaled = (row / np.float32(temperature)).astype(np.float64)
    expected = plain.top_k(row, k) if k else plain.order(row)
    if mass < 1:
        expected = plain.top_p(expected, scaled, mass)
    if share > 0:
        expected = plain.min_p(expected, scaled, share)
    assert_same_but_for_rounding(candidates_of(row, config).ids.tolist(), expected, row)


def assert_same_but_for_rounding(ours: list[int], expected: list[int], row: np.ndarray) -> None:
    """A cut may fall one token earlier or later where the mass there equals the bound in float64's last bits."""
    longer, shorter = sorted([ours, expected], key=len, reverse=True)
    assert longer[: len(shorter)] == shorter
    assert len(longer) - len(shorter) <= 1 or len(set(row[longer[len(shorter) :]].tolist())) == 1
