"""Plain text: paragraphs, items of lists, and lines that stand for themselves."""

import re
from collections.abc import Iterator

from longra.tasks.translation.document import Document, Wanted, chained
from longra.tasks.translation.prose import prose
from longra.text.tidy.document import Line
from longra.text.tidy.scripts import CJK_OR_WIDE

WRAPPED = 50
"""Columns; text that is wrapped by hand is wider, verse and addresses are not."""

_MARKER = re.compile(r"\s*(?:(?:[-*+•◦▪‣●–—]|\d{1,9}[.)])\s+)?")


def read(text: str, wanted: Wanted) -> Document:
    """A text file. A paragraph that was wrapped is read as one; else each line is."""
    passages = [found for start, end in runs(text) for found in prose(text, start, end, wanted)]
    return Document(text, chained(passages))


def read_lines(text: str, wanted: Wanted) -> Document:
    """A file of which each line is translated into a line, as measures such as BLEU need it."""
    passages = [
        found for line in lines_of(text) for found in prose(text, line.start, line.end, wanted) if not line.is_blank
    ]
    return Document(text, chained(passages))


def runs(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of the stretches in which line breaks mean nothing, without markers of lists before them."""
    paragraph: list[Line] = []
    for line in (*lines_of(text), Line(len(text), "")):
        if paragraph and (line.is_blank or _starts_item(line)):
            yield from _runs_of(paragraph)
            paragraph = []
        if not line.is_blank:
            paragraph.append(line)


def lines_of(text: str) -> Iterator[Line]:
    """The lines without their ends, LF or CR LF."""
    start = 0
    for line in text.split("\n"):
        yield Line(start, line.removesuffix("\r"))
        start += len(line) + 1


def _runs_of(paragraph: list[Line]) -> Iterator[tuple[int, int]]:
    groups = [paragraph] if _is_wrapped(paragraph) else [[line] for line in paragraph]
    for group in groups:
        yield group[0].start + _marker_width(group[0].text), group[-1].end


def _marker_width(line: str) -> int:
    marker = _MARKER.match(line)
    return marker.end() if marker else 0


def _starts_item(line: Line) -> bool:
    return bool(line.text[: _marker_width(line.text)].strip())


def _is_wrapped(lines: list[Line]) -> bool:
    """Whether no line has room for the first word of the next, as a program breaks lines that fills them."""
    widths = [_columns(line.text) for line in lines]
    widest = max(widths)
    if len(lines) == 1 or widest < WRAPPED:
        return False
    return all(
        width + _columns(_first_word(after.text)) > widest for width, after in zip(widths, lines[1:], strict=False)
    )


def _first_word(line: str) -> str:
    """With the space before it, if there must be one."""
    words = line.split()
    return words[0][:2] if CJK_OR_WIDE.match(words[0]) else " " + words[0]


def _columns(text: str) -> int:
    return sum(2 if CJK_OR_WIDE.match(character) else 1 for character in text.rstrip())
