"""Step `cjk`: a space between Chinese and Latin text, and Chinese punctuation behind Chinese words (autocorrect)."""

import re
from bisect import bisect_left
from collections.abc import Iterator

from longra.text.tidy.change import Edit
from longra.text.tidy.chinese_marks import with_chinese_marks
from longra.text.tidy.document import Document, Line
from longra.text.tidy.inline import Span, foreign_spans, trimmed
from longra.text.tidy.markdown import front_matter
from longra.text.tidy.scripts import CJK_OR_WIDE
from longra.text.tidy.steps import Report

_NEUTRAL = "\ue0f0"
_IDEOGRAPHIC_SPACES = re.compile("\u3000+")
"""Indents and gaps of Chinese print; autocorrect would make half-width spaces of them."""


def find(document: Document, option: str, report: Report) -> Iterator[Edit]:  # noqa: ARG001
    """Edits of the lines with Chinese, Japanese or Korean text, around what is not prose in them."""
    if not CJK_OR_WIDE.search(document.text):
        return
    import autocorrect_py

    settings = front_matter(document.lines)
    spans = foreign_spans(document)
    starts = [span.start for span in spans]
    for line in document.prose_lines:
        if line.start < settings or not CJK_OR_WIDE.search(line.text):
            continue
        inside = spans[max(bisect_left(starts, line.start) - 1, 0) : bisect_left(starts, line.end)]
        masked, originals, stand_in = _mask(line, sorted([*inside, *_ideographic_spaces(line)], key=_start))
        after = _unmask(autocorrect_py.format(with_chinese_marks(masked)), originals, stand_in)
        if after is not None and after != line.text:
            yield trimmed(Edit(line.start, line.text, after, "spacing or punctuation"))


def _ideographic_spaces(line: Line) -> Iterator[Span]:
    for match in _IDEOGRAPHIC_SPACES.finditer(line.text):
        yield Span(line.start + match.start(), line.start + match.end(), is_code=False, is_word=False)


def _start(span: Span) -> int:
    return span.start


def _mask(line: Line, spans: list[Span]) -> tuple[str, list[str], str]:
    """The line with each span replaced by a word or by a sign that the rules do not touch; what was replaced, in
    order; and the word. A span that began on an earlier line is replaced from the line's start."""
    stand_in = "Zqx"
    while stand_in in line.text:
        stand_in += "q"
    parts: list[str] = []
    originals: list[str] = []
    at = 0
    for span in spans:
        start, end = max(span.start - line.start, at), min(span.end - line.start, len(line.text))
        if start >= end:
            continue
        parts += (line.text[at:start], stand_in if span.is_word else _NEUTRAL)
        originals.append(line.text[start:end])
        at = end
    parts.append(line.text[at:])
    return "".join(parts), originals, stand_in


def _unmask(text: str, originals: list[str], stand_in: str) -> str | None:
    """The spans put back; None if the rules have changed their number (or the text holds the sign itself)."""
    parts = re.split(f"{stand_in}|{_NEUTRAL}", text)
    if len(parts) != len(originals) + 1:
        return None
    return parts[0] + "".join(original + part for original, part in zip(originals, parts[1:], strict=True))
