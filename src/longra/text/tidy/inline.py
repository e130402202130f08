"""What inside a line of prose is not prose: code spans, addresses, formulas, tags."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from longra.text.tidy.change import Edit
from longra.text.tidy.document import LIST_ITEM, Block, Document, Line

_BACKTICKS = re.compile(r"`+")
# An address holds Chinese only where a part of it begins, as in /wiki/中文; else Chinese text goes on behind it. The
# possessive quantifiers keep a formula that is never closed linear.
_FOREIGN = re.compile(
    r"(?P<word>https?://(?:[^\s<>\"'`\u0080-\U0010ffff]|(?<=[/=?&#_-])[\u3400-\u9fff]+)+(?<![.,;:!?)*])"
    r"|[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}"
    r"|\$\$[^$\n]+\$\$|\$(?!\s)[^$\n]*[^$\s\\]\$(?!\d)"  # TeX as pandoc reads it: no space inside, no digit behind
    r"|\\\((?:[^\n\\]|\\[^()\n])*+\\\)|\\\[(?:[^\n\\]|\\[^\[\]\n])*+\\\])"
    r"|(?P<neutral>(?<=\])\([^()\s]{1,2000}\)|</?[A-Za-z][^<>\n]{0,2000}>|<!--[^\n]{0,500}?-->)"
)
_SIGN_OF_FOREIGN = re.compile(r"[@$\\<]|://|\]\(")
_BLOCK_START = re.compile(r" {0,3}(?:#{1,6}(?: |$)|>|\|)")


@dataclass(frozen=True)
class Span:
    """Characters start to end (exclusive) of the text. A word stands in a sentence like a word; others, like tags,
    do not."""

    start: int
    end: int
    is_code: bool
    is_word: bool = True


def code_spans(document: Document) -> list[Span]:
    """All code spans in the prose, in order. A span may cross lines of one paragraph, not its border."""
    return [span for block in document.prose for scope in _scopes(block) for span in _pairs(document.text, scope)]


def foreign_spans(document: Document) -> list[Span]:
    """Code spans, addresses, formulas and tags in the prose, in order and not overlapping."""
    found = code_spans(document)
    starts = [span.start for span in found]
    spans = list(found)
    for line in document.prose_lines:
        if not _SIGN_OF_FOREIGN.search(line.text):
            continue
        for match in _FOREIGN.finditer(line.text):
            start, end = line.start + match.start(), line.start + match.end()
            before = bisect_right(starts, end - 1) - 1  # the last code span that starts before this one ends
            if before < 0 or found[before].end <= start:
                spans.append(Span(start, end, is_code=False, is_word=match["word"] is not None))
    return sorted(spans, key=lambda span: span.start)


def _scopes(block: Block) -> Iterator[list[Line]]:
    """Lines that one code span may join: a paragraph, a list item, a heading, a row of a table."""
    scope: list[Line] = []
    for line in block.lines:
        if scope and (line.is_blank or LIST_ITEM.match(line.text.lstrip()) or _BLOCK_START.match(line.text)):
            yield scope
            scope = []
        if not line.is_blank:
            scope.append(line)
    if scope:
        yield scope


def _pairs(text: str, scope: list[Line]) -> Iterator[Span]:
    """Code spans: a run of backticks up to the next run of the same length (CommonMark 0.31, section 6.1)."""
    start, end = scope[0].start, scope[-1].end
    if text.find("`", start, end) < 0:
        return
    runs = list(_BACKTICKS.finditer(text, start, end))
    closing: list[int | None] = [None] * len(runs)  # run -> the next run of the same length
    latest: dict[int, int] = {}
    for index in range(len(runs) - 1, -1, -1):
        length = len(runs[index].group())
        closing[index] = latest.get(length)
        latest[length] = index
    index = 0
    while index < len(runs):
        partner = closing[index]
        if partner is None or _is_escaped(text, runs[index].start(), start):
            index += 1
            continue
        yield Span(runs[index].start(), runs[partner].end(), is_code=True)
        index = partner + 1


def _is_escaped(text: str, at: int, limit: int) -> bool:
    backslashes = 0
    while at - backslashes > limit and text[at - backslashes - 1] == "\\":
        backslashes += 1
    return backslashes % 2 == 1


def span_around(at: int, spans: list[Span]) -> Span | None:
    """The span that holds character `at`, if any; `spans` are in order."""
    index = bisect_right(spans, at, key=lambda span: span.start) - 1
    return spans[index] if index >= 0 and at < spans[index].end else None


def pieces(line: Line, spans: list[Span]) -> Iterator[Line]:
    """The parts of a line outside the spans; `spans` are in order."""
    at = line.start
    first = max(bisect_right(spans, line.start, key=lambda span: span.start) - 1, 0)
    for span in spans[first:]:
        if span.start >= line.end:
            break
        if span.end <= at:
            continue
        if span.start > at:
            yield Line(at, line.text[at - line.start : span.start - line.start])
        at = span.end
    if at < line.end:
        yield Line(at, line.text[at - line.start :])


def edit_pieces(document: Document, spans: list[Span], change: Callable[[str], str], kind: str) -> Iterator[Edit]:
    """Edits that apply `change` to each part of the prose lines outside the spans."""
    for line in document.prose_lines:
        for piece in pieces(line, spans):
            after = change(piece.text)
            if after != piece.text:
                yield trimmed(Edit(piece.start, piece.text, after, kind))


def trimmed(edit: Edit) -> Edit:
    """The same edit without what its two sides share at either end, when they are long."""
    before, after = edit.before, edit.after
    shortest = min(len(before), len(after))
    if shortest < 80:
        return edit
    head = next((i for i in range(shortest) if before[i] != after[i]), shortest)
    shortest -= head
    tail = next((i for i in range(shortest) if before[-1 - i] != after[-1 - i]), shortest)
    return Edit(edit.start + head, before[head : len(before) - tail], after[head : len(after) - tail], edit.kind)
