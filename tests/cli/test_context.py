"""`--context`: more tokens than the model file says, or fewer."""

import pytest
from running import longra

pytestmark = pytest.mark.usefixtures("default_installed")


def test_a_longer_context_is_told_and_a_shorter_one_too() -> None:
    ran = longra("generate", "x", "-n", "2", "--raw", "--context", "16384")
    assert ran.code == 0
    assert "context extended from 8,192 to 16,384 with yarn, factor 2: quality beyond 8,192 is not" in ran.err
    ran = longra("generate", "x", "-n", "2", "--raw", "--context", "12288", "--rope-scaling", "linear")
    assert "to 12,288 with linear, factor 1.5" in ran.err
    ran = longra("generate", "one two three four five six", "-n", "2", "--raw", "--context", "4")
    assert ran.code == 1
    assert "holds 4 as --context says" in ran.err
    assert "or pass --context 8192" in ran.err


def test_a_prompt_that_is_too_long_names_the_option() -> None:
    ran = longra("generate", "--raw", stdin=b"word " * 9000)
    assert ran.code == 1
    assert "or pass --context 16384 to extend with yarn" in ran.err


def test_a_scaling_that_stretches_nothing_is_refused() -> None:
    ran = longra("generate", "x", "--rope-scaling", "yarn")
    assert ran.code == 2
    assert "pass --context with more than 8,192" in ran.err
