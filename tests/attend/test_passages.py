"""Texts cut into sentences and passages: nothing is lost, and ends are where readers see them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longra.attend.passages import passages, sentences
from longra.text.width import text_width

TEXTS = st.text(st.sampled_from(list("ab A.!?。！”') \n\t…中")), max_size=80) | st.text(max_size=60)


@given(TEXTS)
def test_nothing_is_lost(text: str) -> None:
    whole = text if text.strip() else ""
    for spans in (sentences(text), passages(text, 20)):
        assert "".join(text[span.start : span.end] for span in spans) == whole
        assert all(text[span.start : span.end].strip() for span in spans)


@given(TEXTS, st.integers(1, 40))
def test_a_passage_is_a_sentence_or_no_wider_than_asked(text: str, longest: int) -> None:
    ends = {span.end for span in sentences(text)}
    starts = {span.start for span in sentences(text)}
    for span in passages(text, longest):
        assert span.start in starts
        assert span.end in ends
        inside = [start for start in starts if span.start < start < span.end]
        assert not inside or text_width(text[span.start : span.end]) <= longest
        assert not re.search(r"\S\n[ \t]*\n\s*\S", text[span.start : span.end])


def test_a_chinese_passage_is_as_wide_as_an_english_one() -> None:
    chinese, english = "他走了很远的路。" * 60, "He had walked a long way. " * 60
    widest = [max(text_width(text[s.start : s.end]) for s in passages(text)) for text in (chinese, english)]
    assert widest == [400, 390]


def test_a_paragraph_ends_at_a_blank_line_of_a_windows_file_too() -> None:
    text = "One.\r\n\r\nTwo."
    assert [text[span.start : span.end] for span in passages(text)] == ["One.\r\n\r\n", "Two."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two? Three!", ["One. ", "Two? ", "Three!"]),
        ("Mr. Smith, e.g. J. Smith, has 3.5 kg. So?", ["Mr. Smith, e.g. J. Smith, has 3.5 kg. ", "So?"]),
        ("他说：“好。”然后走了。真的！", ["他说：“好。”", "然后走了。", "真的！"]),
        ("A heading\n\nA sentence", ["A heading\n\n", "A sentence"]),
        ("One line\nand the next.", ["One line\nand the next."]),
        ("Wait... what?!", ["Wait... ", "what?!"]),
    ],
)
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    assert [text[span.start : span.end] for span in sentences(text)] == expected
