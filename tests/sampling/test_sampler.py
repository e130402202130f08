"""The draw: right frequencies, the same for the same seed, and whatever else a text must not depend on."""

import math
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longra.errors import LongraError, UsageError
from longra.sampling import GenerationConfig, Sampler

VOCABULARY = 151_936


def test_greedy_takes_the_most_likely_and_the_lowest_id_of_equals() -> None:
    row = np.zeros(1000, np.float32)
    row[[700, 300, 900]] = 5.0
    assert Sampler(GenerationConfig(temperature=0)).choose(row).token == 300


@given(st.lists(st.floats(-8, 8, width=32), min_size=2, max_size=50, unique=True), st.integers(0, 2**64 - 1))
def test_top_k_of_one_is_greedy(values: list[float], seed: int) -> None:
    row = np.array(values, np.float32)
    assert Sampler(GenerationConfig(temperature=2, top_k=1, seed=seed)).choose(row).token == int(row.argmax())


@pytest.mark.parametrize(
    "cuts", [{"top_k": 0, "top_p": 1.0}, {"top_k": 8, "top_p": 1.0}, {"top_k": 0, "top_p": 0.999999}]
)
def test_tokens_come_as_often_as_their_probability_says(cuts: dict[str, float]) -> None:
    """Chi-squared over 8 tokens: 7 degrees of freedom, 1 in 100,000 is above 34."""
    row = np.array([1.0, 0.5, 0.0, -0.5, -1.0, 2.0, 1.5, -2.0], np.float32)
    temperature, draws = 1.3, 4000
    weights = np.exp(row.astype(np.float64) / temperature)
    expected = weights / weights.sum() * draws
    sampler = Sampler(GenerationConfig(temperature=temperature, seed=11, **cuts))
    counts = Counter(sampler.choose(row).token for _ in range(draws))
    assert sum((counts[t] - expected[t]) ** 2 / expected[t] for t in range(8)) < 34


@pytest.mark.parametrize("temperature", [0, 1])
def test_logits_that_are_no_numbers_are_an_error(temperature: float) -> None:
    row = np.zeros(100, np.float32)
    row[40] = np.nan
    with pytest.raises(LongraError, match="token 40 at place 0"):
        Sampler(GenerationConfig(temperature=temperature, seed=0)).choose(row)


@pytest.mark.parametrize("chance", [0.0, 0.5, 1 - 2**-53])
def test_a_banned_token_is_never_drawn_at_the_ends_of_chance(monkeypatch: pytest.MonkeyPatch, chance: float) -> None:
    monkeypatch.setattr(Sampler, "_uniform", lambda _: chance)
    row = np.array([-np.inf, 1.0, 0.0, -np.inf, 2.0, -np.inf], np.float32)
    for cuts in ({"top_k": 0, "top_p": 1.0}, {"top_k": 5}):
        assert Sampler(GenerationConfig(temperature=1, seed=0, **cuts)).choose(row).token in (1, 2, 4)


def test_a_text_depends_on_seed_and_sequence_and_on_nothing_else() -> None:
    rows = np.random.default_rng(0).normal(0, 1, (200, 500)).astype(np.float32)

    def text(seed: int, sequence: int) -> list[int]:
        sampler = Sampler(GenerationConfig(temperature=1.5, top_k=0, seed=seed), sequence)
        return [sampler.choose(row).token for row in rows]

    first = text(1, 0)
    np.random.seed(5)
    assert text(1, 0) == first
    assert len({tuple(text(*key)) for key in ((1, 0), (1, 1), (2, 0), (2**64 - 1, 0), (0, 0))}) == 5


def test_the_row_is_left_as_it_was() -> None:
    row = np.random.default_rng(0).normal(0, 1, 500).astype(np.float32)
    before = row.copy()
    config = GenerationConfig(
        repetition_penalty=1.5, presence_penalty=1, no_repeat_ngram=1, dry_multiplier=1, min_tokens=5, logit_bias={3: 5}
    )
    Sampler(config, 0, [1, 2, 3], ends={4}).choose(row)
    assert np.array_equal(row, before)


def test_logprobs_are_the_models_own_whatever_changes_the_choice() -> None:
    row = np.random.default_rng(2).normal(0, 3, 5000).astype(np.float32)
    config = GenerationConfig(temperature=0.3, logprobs=5, logit_bias={7: 50.0}, seed=1)
    choice = Sampler(config).choose(row)
    exact = row.astype(np.float64) - math.log(np.exp(row.astype(np.float64)).sum())
    assert choice.token == 7
    assert choice.logprob == pytest.approx(exact[7], abs=1e-5)
    best = np.argsort(-row, kind="stable")[:5]
    assert [token for token, _ in choice.alternatives] == best.tolist()
    assert [value for _, value in choice.alternatives] == pytest.approx(exact[best], abs=1e-5)


def test_no_alternatives_but_the_probability_for_logprobs_zero() -> None:
    choice = Sampler(GenerationConfig(temperature=0, logprobs=0)).choose(np.zeros(4, np.float32))
    assert choice.logprob == pytest.approx(math.log(0.25))
    assert choice.alternatives == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", 0),
        ("max_tokens", 1.5),
        ("max_tokens", True),
        ("min_tokens", 513),
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("temperature", "warm"),
        ("top_k", -1),
        ("top_p", 0.0),
        ("top_p", 1.01),
        ("min_p", -0.1),
        ("typical_p", 0),
        ("repetition_penalty", 0),
        ("presence_penalty", 2.1),
        ("frequency_penalty", -2.1),
        ("no_repeat_ngram", -1),
        ("dry_multiplier", -1),
        ("dry_base", 0.5),
        ("dry_allowed_length", 0),
        ("seed", -1),
        ("seed", 2**64),
        ("stop", [""]),
        ("logit_bias", {1: 101}),
        ("logit_bias", {-1: 1}),
        ("logprobs", -1),
        ("logprobs", 101),
        ("num_sequences", 0),
    ],
)
def test_a_parameter_out_of_range_is_named_with_its_value(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=name):
        GenerationConfig(**{name: value})  # type: ignore[arg-type]


def best_time(choose: Callable[[np.ndarray], object], rows: np.ndarray) -> float:
    """Seconds a token, the best of several goes: other work on the machine must not count."""
    times = []
    for _ in range(20):
        start = time.perf_counter()
        for row in rows:
            choose(row)
        times.append((time.perf_counter() - start) / len(rows))
    return min(times)


@pytest.mark.parametrize(
    ("config", "milliseconds"),
    [
        (GenerationConfig(temperature=0), 0.1),
        (GenerationConfig(temperature=0.7, top_k=40, top_p=0.95, seed=1), 0.6),
        (GenerationConfig(temperature=0.7, top_k=0, top_p=1, seed=1), 1.5),
        (GenerationConfig(temperature=0.7, top_k=0, top_p=1, min_p=0.05, seed=1), 1.5),
    ],
)
def test_choosing_is_quick(config: GenerationConfig, milliseconds: float) -> None:
    """A whole qwen vocabulary; five times the aim is allowed, for slow and busy machines."""
    rows = np.random.default_rng(1).normal(0, 3, (8, VOCABULARY)).astype(np.float32)
    assert best_time(Sampler(config).choose, rows) < 5 * milliseconds / 1000


@pytest.mark.parametrize("cut", [{"temperature": 5, "top_p": 0.95}, {"temperature": 1, "top_p": 1, "typical_p": 0.9}])
def test_a_cut_that_leaves_most_tokens_takes_less_than_sorting_them_as_floats(cut: dict[str, float]) -> None:
    rows = np.random.default_rng(1).normal(0, 3, (2, VOCABULARY)).astype(np.float32)
    sampler = Sampler(GenerationConfig(top_k=0, seed=1, **cut))
    assert best_time(sampler.choose, rows) < best_time(lambda row: np.argsort(-row, kind="stable"), rows)
