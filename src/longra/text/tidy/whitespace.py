"""Step `whitespace`: no trailing or doubled spaces, at most one blank line, none at either end of the text."""

import re
from collections.abc import Iterator
from itertools import chain, groupby

from longra.text.tidy.change import Edit
from longra.text.tidy.document import Document, Line
from longra.text.tidy.inline import Span, code_spans, span_around
from longra.text.tidy.steps import Report

_LEAD = re.compile(r"[\s>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?")
"""Indent, quotation marks and list marker: their spaces carry the structure of the text."""

_DOUBLED = re.compile(r"(?<=\S)  +(?=\S)")
_LINE_END = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")


def find(document: Document, option: str, report: Report) -> Iterator[Edit]:  # noqa: ARG001
    """Edits of the prose. Odd line ends come first and alone: they decide what a line is."""
    ends = list(_line_ends(document))
    if ends:
        yield from ends
        return
    spans = code_spans(document)
    for block in document.prose:
        for is_blank, group in groupby(block.lines, key=lambda line: line.is_blank):
            lines = list(group)
            if is_blank:
                yield from blank_lines(document.text, lines)
            else:
                yield from chain.from_iterable(_in_line(line, spans) for line in lines)


def _line_ends(document: Document) -> Iterator[Edit]:
    for line in document.prose_lines:
        if line.text.isprintable():
            continue
        text = line.text.removesuffix("\r") if line.end < len(document.text) else line.text
        for match in _LINE_END.finditer(text):
            yield Edit(line.start + match.start(), match.group(), "\n", "line end")
        if text != line.text:
            yield Edit(line.end - 1, "\r", "", "line end")


def blank_lines(text: str, lines: list[Line]) -> Iterator[Edit]:
    """Edits of neighbouring blank lines: one empty line is left of them, none at the start or the end of the text."""
    start, end = lines[0].start, lines[-1].end
    if start == 0:
        end = min(end + 1, len(text))
    if start < end:
        yield Edit(start, text[start:end], "", "blank lines" if "\n" in text[start:end] else "trailing space")


def _in_line(line: Line, spans: list[Span]) -> Iterator[Edit]:
    lead = _LEAD.match(line.text)
    body = lead.end() if lead else 0
    if line.start == 0 and line.text[0] == " " != line.text[1]:
        yield Edit(0, " ", "", "leading space")  # the space that a model's first word brings along
    if not line.text.startswith("|", body):  # columns of a table may be aligned
        for match in _DOUBLED.finditer(line.text, max(body - 1, 0)):
            if not span_around(line.start + match.start(), spans):
                yield Edit(line.start + match.start(), match.group(), " ", "doubled space")
    kept = len(line.text.rstrip())
    if kept < len(line.text) and not span_around(line.end, spans):
        yield Edit(line.start + kept, line.text[kept:], "", "trailing space")
