"""SubRip subtitles. What is not the text of a subtitle stays: numbers, timings, blank lines, whatever else is there."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from longra.tasks.translation.document import Document, Segment, Wanted, chained
from longra.tasks.translation.formats.plain import lines_of
from longra.tasks.translation.placeholders import spans_of
from longra.tasks.translation.prose import inside, one_line
from longra.text.tidy.document import Line
from longra.text.tidy.inline import Span, span_around
from longra.text.tidy.scripts import CJK_OR_WIDE

_TIMING = re.compile(r"\s*(?:\d{1,3}:)?\d{1,2}:\d{2}[,.]\d{1,3}\s*-->\s*(?:\d{1,3}:)?\d{1,2}:\d{2}[,.]\d{1,3}")
_SPEAKER = re.compile(r"\s*[-–—]\s*")
_NEVER_FIRST = frozenset("、。，．！？；：）》」』】〉”’…,.!?;:)]}")


@dataclass(frozen=True)
class _Subtitle:
    """One text of a subtitle, in one or more lines: all of it, or what one of two speakers says."""

    text: str
    start: int
    end: int
    segments: Sequence[Segment]

    def write(self, translations: Sequence[str | None], spaced: bool) -> str:
        """The translation in as many lines as before, of about the same length."""
        before = self.text[self.start : self.end]
        translation = translations[0]
        if translation is None or translation == self.segments[0].text:
            return before
        lines = balanced(translation, before.count("\n") + 1, spaced)
        return ("\r\n" if "\r\n" in before else "\n").join(lines)


def read(text: str, wanted: Wanted) -> Document:
    """A file of subtitles, each of them one segment, or one for each speaker."""
    passages = []
    for lines in _subtitles(list(lines_of(text))):
        for group in _speakers(lines):
            marker = _SPEAKER.match(group[0].text)
            start, end = inside(text, group[0].start + (marker.end() if marker else 0), group[-1].end)
            shown = one_line(text[start:end]).strip()
            if wanted(shown):
                passages.append(_Subtitle(text, start, end, [Segment(shown, text.count("\n", 0, start) + 1)]))
    return Document(text, chained(passages))


def balanced(text: str, count: int, spaced: bool) -> list[str]:
    """A text in `count` lines of about the same length, or in fewer where it has too few places to break it."""
    spans = spans_of(text)
    places = [at for at in range(1, len(text)) if _may_break(text, at, spaced) and not _splits(at, spans)]
    chosen: list[int] = []
    for number in range(1, count):
        later = [at for at in places if not chosen or at > chosen[-1]]
        if later:
            chosen.append(min(later, key=lambda at: _cost(text, at, len(text) * number / count)))
    return [text[start:end].strip() for start, end in zip((0, *chosen), (*chosen, len(text)), strict=True)]


def _cost(text: str, at: int, goal: float) -> float:
    """Characters from where the break would be best; behind punctuation it may be an eighth of the text further."""
    bonus = len(text) / 8 if text[:at].rstrip()[-1:] in _NEVER_FIRST else 0
    return abs(at - goal) - bonus


def _splits(at: int, spans: list[Span]) -> bool:
    """Whether a break before character `at` would be within a span."""
    span = span_around(at, spans)
    return span is not None and span.start < at


def _may_break(text: str, at: int, spaced: bool) -> bool:
    if text[at - 1] == " ":
        return True
    if spaced or text[at] in _NEVER_FIRST:
        return False
    return CJK_OR_WIDE.match(text[at - 1]) is not None and CJK_OR_WIDE.match(text[at]) is not None


def _subtitles(lines: list[Line]) -> Iterator[list[Line]]:
    """The lines of text below each timing: up to a blank line, or to the number or timing of the next subtitle."""
    found: list[Line] | None = None
    for line, after in zip(lines, [*lines[1:], Line(0, "")], strict=True):
        is_timing = _TIMING.match(line.text) is not None
        is_number = line.text.strip().isdigit() and _TIMING.match(after.text) is not None
        if found and (line.is_blank or is_timing or is_number):
            yield found
        if line.is_blank or is_number:
            found = None
        elif is_timing:
            found = []
        elif found is not None:
            found.append(line)
    if found:
        yield found


def _speakers(lines: list[Line]) -> Iterator[list[Line]]:
    """The lines of each speaker, where dashes say that there are several; else all."""
    groups: list[list[Line]] = []
    for line in lines:
        if not groups or (_SPEAKER.match(line.text) and _SPEAKER.match(lines[0].text)):
            groups.append([])
        groups[-1].append(line)
    yield from groups
