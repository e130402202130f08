"""A text in the making."""

from hypothesis import given, settings
from hypothesis import strategies as st

from longra.tasks.manuscript import Manuscript
from longra.text.units import count

FIRST = "The keeper climbed the stairs in the dark and lit the old lamp, as he did every evening of his life.\n\n"
SECOND = "A boat without a light came round the rock, slowly, with nobody at the oars that he could see from there."


def feed(draft: Manuscript, text: str, step: int) -> str:
    """What is shown while the text comes in pieces; what repeats ends it."""
    shown = ""
    for at in range(0, len(text), step):
        if draft.add(text[at : at + step]):
            if draft.cut_repeats():
                break
            draft.keep_paragraphs()
        shown += draft.take()
    return shown + draft.take()


@settings(max_examples=60)
@given(lines=st.lists(st.text("ab #\n", max_size=6)), step=st.integers(1, 9))
def test_what_is_shown_is_never_taken_back(lines: list[str], step: int) -> None:
    draft = Manuscript()
    shown = feed(draft, "\n".join(lines), step)
    assert draft.text.startswith(shown)
    assert draft.written == count(draft.text)
    draft.keep(len(draft.text))
    assert (shown + draft.take()).rstrip() == draft.text.rstrip()


def test_paragraphs_are_shown_when_they_are_whole_and_headings_with_what_follows() -> None:
    draft = Manuscript()
    assert feed(draft, FIRST + "## The boat\n\n" + SECOND, 7) == FIRST.rstrip()
    assert feed(draft, "\n", 7) == "\n\n## The boat\n\n" + SECOND


def test_a_paragraph_that_comes_again_is_not_taken() -> None:
    draft = Manuscript()
    shown = feed(draft, FIRST + SECOND + "\n\n" + FIRST + "And then nothing.", 5)
    assert shown == draft.text.rstrip() == FIRST + SECOND


def test_a_loop_without_end_is_cut() -> None:
    draft = Manuscript()
    loop = "He looked at the sea and the sea looked at him. "
    shown = feed(draft, FIRST + loop * 100, 5)
    assert draft.written < 100
    assert shown == FIRST + loop.strip()


def test_a_new_paragraph_begins_behind_a_blank_line() -> None:
    draft = Manuscript()
    draft.new_paragraph()
    assert draft.text == ""
    feed(draft, SECOND, 5)
    draft.new_paragraph()
    feed(draft, FIRST, 5)
    assert draft.text.rstrip() == f"{SECOND}\n\n{FIRST.rstrip()}"
