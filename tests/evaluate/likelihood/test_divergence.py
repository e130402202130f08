"""KL divergence against the formula in float64, and its laws."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as shaped
from reading import tiny_model

import longra
from longra.errors import LongraError, UsageError
from longra.evaluate.likelihood.distributions import divergences, likeliest, log_probabilities, log_totals
from longra.evaluate.likelihood.divergence import TOP, Comparison

TEXT = "Bread rises twice. 面包发酵两次。 The third time, it is no longer bread but a question of patience."
ROWS = shaped.arrays(np.float32, (3, 9), elements=st.floats(-30, 30, width=32))


def exact(p: Any, q: Any) -> Any:
    """The definition, in float64."""
    p, q = (rows.astype(np.float64) - rows.max(axis=1, keepdims=True) for rows in (p, q))
    p, q = (rows - np.log(np.exp(rows).sum(axis=1, keepdims=True)) for rows in (p, q))
    return (np.exp(p) * (p - q)).sum(axis=1)


@given(ROWS, ROWS)
def test_divergences(p: Any, q: Any) -> None:
    found = divergences(p, q)
    np.testing.assert_allclose(found, exact(p, q), rtol=1e-5, atol=1e-5)
    assert (found > -1e-5).all()
    np.testing.assert_allclose(divergences(p, p + 3), 0, atol=1e-5)


@given(ROWS)
def test_probabilities_sum_to_one(rows: Any) -> None:
    tokens = [log_probabilities(rows, np.full(3, token)) for token in range(9)]
    np.testing.assert_allclose(np.exp(tokens).sum(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(log_totals(rows + 5), log_totals(rows) + 5, rtol=1e-5, atol=1e-5)
    assert (rows.argmax(axis=1)[:, None] == likeliest(rows, 1)).all() or len(np.unique(rows)) < 27


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_logits_that_are_no_numbers_are_an_error(wrong: float) -> None:
    rows = np.zeros((3, 9), np.float32)
    rows[1, 4:] = wrong
    if wrong == -np.inf:  # tokens that cannot be are no fault
        assert np.isfinite(log_totals(rows)).all()
        rows[1] = wrong
    with pytest.raises(LongraError, match=r"gave no number.*--weights f32"):
        log_totals(rows)


@pytest.fixture(scope="module")
def pair(smollm2: Path) -> tuple[longra.Model, longra.Model]:
    return longra.load(smollm2, threads=1), longra.load(smollm2, weights="q4", threads=1)


def test_it_is_the_divergence_of_all_next_token_distributions(pair: tuple[longra.Model, longra.Model]) -> None:
    ids = pair[0].tokenizer.encode(TEXT)
    p, q = (model.logits(ids, len(ids)) for model in pair)
    found = Comparison(*pair, TEXT).run()
    wanted = exact(p, q)
    assert found.positions == len(ids)
    assert found.mean == pytest.approx(wanted.mean(), rel=1e-4)
    assert found.most == pytest.approx(wanted.max(), rel=1e-4)
    assert found.percentiles[90] == pytest.approx(np.percentile(wanted, 90), rel=1e-3)
    assert found.same_choice == (p.argmax(axis=1) == q.argmax(axis=1)).mean()
    shared = [len(set(a) & set(b)) for a, b in zip(p.argsort()[:, -TOP:], q.argsort()[:, -TOP:], strict=True)]
    assert found.top_overlap == pytest.approx(np.mean(shared) / TOP)
    assert found.mean > 0.001
    assert pair[0].tokenizer.decode(ids[: wanted.argmax() + 1]).endswith(found.most_after)


def test_a_model_does_not_differ_from_itself(pair: tuple[longra.Model, longra.Model]) -> None:
    found = Comparison(pair[0], pair[0], TEXT).run()
    assert (found.most, found.same_choice, found.top_overlap) == (pytest.approx(0, abs=1e-6), 1, 1)


def test_windows_are_read_one_by_one(tmp_path: Path) -> None:
    model, _ = tiny_model(tmp_path / "a")
    other = longra.load(tmp_path / "a", weights="q4", threads=1)
    done: list[int] = []
    found = Comparison(model, other, TEXT, window=32).run(done.append)
    data = list(TEXT.encode())
    assert sum(done) == found.positions == len(data)
    ids = model.tokenizer.encode(TEXT)
    parts = [ids[at : at + 32] for at in range(0, len(ids), 32)]
    wanted = [exact(model.logits(part, len(part)), other.logits(part, len(part))) for part in parts]
    assert found.mean == pytest.approx(np.concatenate(wanted).mean(), rel=1e-4)


def test_what_is_compared_before_an_interruption_is_kept(tmp_path: Path) -> None:
    model, _ = tiny_model(tmp_path)
    comparison = Comparison(model, model, TEXT, window=32)

    def advance(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(UsageError, match="no position"):
        comparison.result()
    with pytest.raises(KeyboardInterrupt):
        comparison.run(advance)
    assert (comparison.result().positions, comparison.result().complete) == (32, False)
    assert model.generate([1, 2], max_tokens=1).token_ids  # the engine is free again


def test_different_tokenizers(tmp_path: Path, smollm2: Path) -> None:
    model, _ = tiny_model(tmp_path)
    other = longra.load(smollm2, threads=1)
    with pytest.raises(LongraError, match=r"the tokenizers differ.*token 0 is '!' in .* and '<\|endoftext\|>' in "):
        Comparison(model, other, TEXT)
    with pytest.raises(UsageError, match="the text is empty"):
        Comparison(model, model, "")


def test_a_comparison_goes_on_from_the_windows_that_it_has_kept(tmp_path: Path) -> None:
    model, _ = tiny_model(tmp_path)
    other = longra.load(tmp_path, weights="q8", threads=1)
    rows: list[dict[str, Any]] = []
    whole = Comparison(model, other, TEXT, 16).run(keep=rows.append)
    later = Comparison(model, other, TEXT, 16)
    later.resume(rows[:3])
    assert later.run() == whole
