"""Markdown, line by line: markdown-it-py says in which lines a block is, but not where the text within them stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from longra.tasks.translation.document import Document, Passage, Wanted, chained
from longra.tasks.translation.placeholders import spans_of, without
from longra.tasks.translation.prose import prose
from longra.text.tidy import document as tidy
from longra.text.tidy.document import Line
from longra.text.tidy.inline import span_around
from longra.text.tidy.markdown import front_matter

_MARKER = re.compile(r"[ \t]*(?:(?:>|(?:[-*+]|\d{1,9}[.)]|\[[ xX]\]|#{1,6})(?=[ \t])|\[\^[^\]\s]+\]:)[ \t]*)*")
_HEADING = re.compile(r"[ \t>]*#{1,6}[ \t]")
_STARTS_RUN = re.compile(r"[ \t>]*(?:#{1,6}[ \t]|[-*+][ \t]|\d{1,9}[.)][ \t]|\[\^[^\]\s]+\]:|</?[A-Za-z])")
_HARD_BREAK = re.compile(r"(?: {2,}|\\|<br ?/?>)$")
_CLOSING = re.compile(r"(?:[ \t]+#+|[ \t]*\{#[\w-]+\}|\\)?[ \t]*$")
_NOT_PROSE = re.compile(
    r"[ \t>]*(?:\[(?!\^)[^\]]+\]:[ \t]*\S|\[![A-Z]+\][ \t]*$|:::|!!!|\?\?\?|(?:=+|-+|(?:[-*_][ \t]*){3,})$)"
)
_TABLE_RULE = re.compile(r"[ \t>]*(?=[^|]*\|)(?:\|[ \t]*)?:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_REGION = re.compile(
    r"^[ \t>]*(?:<!--.*?(?:-->|\Z)|<(?P<tag>script|style|pre|svg)\b.*?(?:</(?P=tag)>|\Z)|\$\$.*?(?:\$\$|\Z))",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
_BAR = re.compile(r"(?<!\\)\|")
_LIKE_MARKER = re.compile(r"(?P<number>\d{0,9})(?P<mark>#{1,6}\s|[-*+]\s|(?<=\d)[.)]\s|>|\||`{3}|~{3})")


@dataclass(frozen=True)
class _Run:
    """Characters start to end (exclusive) in which line breaks mean nothing."""

    start: int
    end: int
    is_heading: bool = False
    is_cell: bool = False


def read(text: str, wanted: Wanted) -> Document:
    """A Markdown file. Code, settings at the head, formulas, comments, addresses and the marks of blocks stay."""
    passages: list[Passage] = []
    headings = set()
    for run in _runs(text):
        found = list(prose(text, run.start, run.end, wanted, _in_cell if run.is_cell else _in_line))
        if run.is_heading:
            headings |= {passage.start for passage in found}
        passages += found
    return Document(text, chained(passages, lambda passage: passage.start in headings))


def _runs(text: str) -> Iterator[_Run]:
    document = tidy.Document(text)
    settings = front_matter(document.lines)
    for block in document.prose:
        regions = [match.span() for match in _REGION.finditer(text, block.start, block.end)]
        yield from _runs_of([_visible(line, settings, regions) for line in block.lines])


def _visible(line: Line, settings: int, regions: list[tuple[int, int]]) -> Line:
    """A line without its CR; blank where a region of something else than prose reaches into its beginning."""
    text = line.text.removesuffix("\r")
    first = line.start + len(text) - len(text.lstrip())
    hidden = line.start < settings or any(start <= first < end for start, end in regions)
    return Line(line.start, "" if hidden else text)


def _runs_of(lines: list[Line]) -> Iterator[_Run]:
    run: list[Line] = []
    in_table = False
    for line, following in zip_longest(lines, lines[1:], fillvalue=Line(0, "")):
        stays = line.is_blank or _NOT_PROSE.match(line.text)
        in_table = not stays and (in_table or ("|" in line.text and bool(_TABLE_RULE.match(following.text))))
        if run and (stays or in_table or _is_apart(line, run[-1])):
            yield _run(run)
            run = []
        if in_table and not _TABLE_RULE.match(line.text):
            yield from _cells(line)
        elif not stays and not in_table:
            run.append(line)
    if run:
        yield _run(run)


def _is_apart(line: Line, before: Line) -> bool:
    """Whether a line does not go on with the sentence of the one before it."""
    return (
        _STARTS_RUN.match(line.text) is not None
        or _HEADING.match(before.text) is not None
        or _HARD_BREAK.search(before.text) is not None
        or (line.text.lstrip().startswith(">") and not before.text.lstrip().startswith(">"))
        or not all(any(map(str.isalpha, without(part.text))) for part in (line, before))
    )


def _run(lines: list[Line]) -> _Run:
    first, last = lines[0], lines[-1]
    marker, closing = _MARKER.match(first.text), _CLOSING.search(last.text)
    start = first.start + (marker.end() if marker else 0)
    end = last.start + (closing.start() if closing else len(last.text))
    return _Run(start, max(start, end), is_heading=_HEADING.match(first.text) is not None)


def _cells(line: Line) -> Iterator[_Run]:
    """The cells of a row: what stands between bars that are neither escaped nor in code."""
    spans = spans_of(line.text)
    bars = [
        at
        for at, character in enumerate(line.text)
        if character == "|" and line.text[at - 1 : at] != "\\" and not span_around(at, spans)
    ]
    for start, end in zip((-1, *bars), (*bars, len(line.text)), strict=True):
        yield _Run(line.start + start + 1, line.start + end, is_cell=True)


def _in_line(translation: str) -> str:
    """A translation that begins with what would be the mark of a block is escaped."""
    mark = _LIKE_MARKER.match(translation)
    return f"{mark['number']}\\{translation[mark.start('mark') :]}" if mark else translation


def _in_cell(translation: str) -> str:
    """A bar within a cell is escaped, but in code."""
    spans = spans_of(translation)
    return _BAR.sub(lambda bar: bar[0] if span_around(bar.start(), spans) else r"\|", translation)
