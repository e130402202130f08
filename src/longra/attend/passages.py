"""A text in passages that a reader can point at: sentences, put together within a paragraph up to a size."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 400
"""Width of a passage in columns, about four lines (a Chinese character takes two); a single longer sentence stays whole."""

_PARAGRAPH = re.compile(r"\s*\S.*?(?:\n[ \t\r]*\n\s*|\Z)", re.DOTALL)
_WIDE = re.compile(
    r"[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\U00020000-\U0003fffd]"
)
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
        begin = len(found)
        for sentence in _sentences_of(text, paragraph):
            if len(found) > begin and _width(text, found[-1].start, sentence.end) <= longest:
                found[-1] = Span(found[-1].start, sentence.end)
            else:
                found.append(sentence)
    return found


def _width(text: str, start: int, end: int) -> int:
    return end - start + sum(1 for _ in _WIDE.finditer(text, start, end))


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
