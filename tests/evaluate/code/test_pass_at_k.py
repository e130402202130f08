"""pass@k against its definition, in exact fractions."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longra.evaluate.code.pass_at_k import pass_at_k


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_it_is_the_estimator_of_the_paper(sizes: tuple[int, int, int]) -> None:
    samples, passed, k = sizes
    exact = 1 - Fraction(comb(samples - passed, k), comb(samples, k))
    assert pass_at_k(samples, passed, k) == pytest.approx(float(exact), abs=1e-12)


def test_k_of_one_is_the_share_that_passed() -> None:
    assert pass_at_k(5, 2, 1) == pytest.approx(0.4)


def test_sizes_whose_binomials_overflow_floats() -> None:
    assert pass_at_k(100_000, 1, 50_000) == pytest.approx(0.5)
