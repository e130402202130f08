"""What is told of a text at its end."""

import pytest
from longra.result import Continuation, Result, Timings

from longra.cli.notes import cut_note
from longra.sampling import GenerationConfig


@pytest.mark.parametrize(
    ("reasons", "told"), [(["stop"], False), (["interrupted"], False), (["length"], True), (["stop", "length"], True)]
)
def test_a_limit_that_ended_a_text_is_told(reasons: list[str], told: bool) -> None:
    texts = tuple(Continuation("a", (1,), reason) for reason in reasons)
    result = Result(texts, 1, 9, 0, 8000, Timings(0, 0, 0, 0), "m")
    note = cut_note(result, GenerationConfig())
    assert (note is not None) is told
    assert note is None or "512 tokens" in note
