"""A run of prose as a passage: cut into sentences, each of which is put back where it stood."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import regex

from longra.tasks.translation.document import Segment, Wanted
from longra.tasks.translation.placeholders import spans_of
from longra.text.tidy.scripts import CJK_OR_WIDE
from longra.text.tidy.sentence import sentence_ends

_BREAK = regex.compile(r"[ \t]*\r?\n[ \t>]*")
_EMPHASIS = ("**", "__", "~~", "*", "_")
_TAGS = regex.compile(r"(?P<open><(?P<name>[A-Za-z][\w-]*)[^<>]*>)(?P<inner>.*)(?P<close></(?P=name)>)", regex.DOTALL)
_OVERRIDES = regex.compile(r"(?:\{\\[^{}]*\})+")


@dataclass(frozen=True)
class _Place:
    """Characters start to end (exclusive) of the document that a segment takes."""

    start: int
    end: int


@dataclass(frozen=True)
class Prose:
    """Sentences that follow each other; line breaks among them are where the text was wrapped.

    Attributes:
        text: of the whole document.
        start, end: the characters of the passage.
        places: where each segment stands.
        guard: what is done to each translation, so that it stays prose in this format.
    """

    text: str
    start: int
    end: int
    segments: Sequence[Segment]
    places: Sequence[_Place]
    guard: Callable[[str], str] = str

    def write(self, translations: Sequence[str | None], spaced: bool) -> str:
        """The passage with its sentences translated. Between two of them there is what the target language puts there,
        but line breaks stay."""
        parts: list[str] = []
        at = self.start
        changed = False
        for segment, place, translation in zip(self.segments, self.places, translations, strict=True):
            gap = self.text[at : place.start]
            is_new = translation is not None and translation != segment.text
            if at > self.start and (is_new or changed) and not gap.strip(" "):
                gap = " " if spaced else ""
            changed = is_new
            parts += gap, self.guard(translation or "") if is_new else self.text[place.start : place.end]
            at = place.end
        return "".join([*parts, self.text[at : self.end]])


def prose(text: str, start: int, end: int, wanted: Wanted, guard: Callable[[str], str] = str) -> Iterator[Prose]:
    """The passage of text[start:end], or nothing where there is nothing to translate in it."""
    segments, places = [], []
    first = text.count("\n", 0, start) + 1
    for place in _sentences(text, start, end):
        shown = one_line(text[place.start : place.end])
        if wanted(shown):
            segments.append(Segment(shown, first + text.count("\n", start, place.start)))
            places.append(place)
    if segments:
        yield Prose(text, start, end, segments, places, guard)


def one_line(text: str) -> str:
    """A wrapped text in one line: a break becomes a space, between ideographs nothing."""

    def joint(match: "regex.Match[str]") -> str:
        around = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        return "" if all(CJK_OR_WIDE.match(side) for side in around) else " "

    return _BREAK.sub(joint, text) if "\n" in text else text


def _sentences(text: str, start: int, end: int) -> Iterator[_Place]:
    """The sentences of a run, without the space around them and without what encloses each as a whole."""
    run = text[start:end]
    at = 0
    for stop in (*sentence_ends(run, spans_of(run)), len(run)):
        first, last = at + len(run[at:stop]) - len(run[at:stop].lstrip()), len(run[:stop].rstrip())
        first, last = inside(run, first, last)
        if first < last:
            yield _Place(start + first, start + last)
        at = max(at, stop)


def inside(run: str, start: int, end: int) -> tuple[int, int]:
    """A sentence without tags or emphasis that enclose all of it: they stay where they are."""
    while True:
        part = run[start:end]
        override, tags = _OVERRIDES.match(part), _TAGS.fullmatch(part)
        if override:
            start += override.end()
        elif tags and f"<{tags['name']}" not in tags["inner"]:
            start, end = start + len(tags["open"]), end - len(tags["close"])
        elif mark := next((mark for mark in _EMPHASIS if _encloses(mark, part)), None):
            start, end = start + len(mark), end - len(mark)
        else:
            return start, end


def _encloses(mark: str, part: str) -> bool:
    inner = part[len(mark) : len(part) - len(mark)]
    both = part.startswith(mark) and part.endswith(mark)
    return both and bool(inner) and inner == inner.strip() and mark not in inner
