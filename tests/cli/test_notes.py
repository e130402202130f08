"""What is told of a text at its end."""

import pytest

from longra.cli.shared.notes import circles_note, cut_note, length_note
from longra.generation.result import Continuation, Result, Timings
from longra.sampling import GenerationConfig
from longra.tasks.goal import goal_for


@pytest.mark.parametrize(
    ("reasons", "told"), [(["stop"], False), (["interrupted"], False), (["length"], True), (["stop", "length"], True)]
)
def test_a_limit_that_ended_a_text_is_told(reasons: list[str], told: bool) -> None:
    texts = tuple(Continuation("a", (1,), reason) for reason in reasons)
    result = Result(texts, 1, 9, 0, 8000, Timings(0, 0, 0, 0), "m")
    note = cut_note(result, GenerationConfig())
    assert (note is not None) is told
    assert note is None or "512 tokens" in note


LOOP = "他住在山里，每天都去河边。" * 12


@pytest.mark.parametrize("against", [{"repetition_penalty": 1.1}, {"dry_multiplier": 0.8}, {"no_repeat_ngram": 3}])
def test_a_text_in_circles_is_told_unless_something_was_set_against_it(against: dict[str, float]) -> None:
    note = circles_note(LOOP, GenerationConfig())
    assert note is not None
    assert "--repetition-penalty 1.1" in note
    assert circles_note(LOOP, GenerationConfig(**against)) is None
    assert circles_note(LOOP[:50], GenerationConfig()) is None
    assert circles_note("".join(chr(0x4E00 + i) for i in range(200)), GenerationConfig()) is None


def test_a_text_of_a_length_that_was_interrupted_says_how_it_goes_on() -> None:
    length = {"end": "interrupted", "met": False}
    result = Result((), 1, 5, 0, 100, Timings(0, 0, 0, 0), "any", extra={"length": length})
    goal = goal_for("Tell of the sea.", 1200)
    assert "`longra generate -f FILE --raw --length 1196`" in (length_note(result, "The sea is calm.", goal) or "")
    assert length_note(result, "sea " * 1150, goal) is None
