"""A text in passages that a reader can point at: sentences, put together within a paragraph up to a size."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from longra.text.width import text_width

LONGEST = 400
"""Width of a passage in columns, about four lines (a Chinese character takes two); a single longer sentence stays whole."""

_PARAGRAPH = re.compile(r"\s*\S.*?(?:\n[ \t\r]*\n\s*|\Z)", re.DOTALL)
_SENTENCE_END = re.compile(
    r"[。！？]+[”’」』）】》]*\s*"  # no space need follow these
    r"|(?<!\b[A-Z])(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bMrs)(?<!\be\.g)(?<!\bi\.e)[.!?…]+[\"'”’)\]]*\s+"
)


@dataclass(frozen=True)
class Span:
    """Characters [start, end) of a text."""

    start: int
    end: int


def sentences(text: str) -> list[Span]:
    """The sentences of a text, each with the white space after it; together they are all of it, unless it is blank."""
    return [sentence for paragraph in _paragraphs(text) for sentence in _sentences_of(text, paragraph)]


def passages(text: str, longest: int = LONGEST) -> list[Span]:
    """The passages of a text, in order; together they are all of it, unless it is blank.

    A passage ends with a paragraph (a blank line), or before the sentence that would make it wider than `longest`
    columns.
    """
    found: list[Span] = []
    for paragraph in _paragraphs(text):
        width = longest + 1  # of the passage under way: a paragraph begins a new one
        for sentence in _sentences_of(text, paragraph):
            more = text_width(text[sentence.start : sentence.end])
            width += more
            if width <= longest:
                found[-1] = Span(found[-1].start, sentence.end)
            else:
                found.append(sentence)
                width = more
    return found


def _paragraphs(text: str) -> Iterator[Span]:
    for match in _PARAGRAPH.finditer(text):
        yield Span(match.start(), match.end())


def _sentences_of(text: str, paragraph: Span) -> Iterator[Span]:
    at = paragraph.start
    for mark in _SENTENCE_END.finditer(text, paragraph.start, paragraph.end):
        yield Span(at, mark.end())
        at = mark.end()
    if at < paragraph.end:
        yield Span(at, paragraph.end)
