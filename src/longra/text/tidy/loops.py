"""Step `loops`: a passage that repeats until the end of the text is kept once.

The end of the text is periodic with period p for as long as each item equals the one p before it. The Z-function of
the reversed text gives that length for every p at once, in linear time (Gusfield, Algorithms on Strings, 1997, 1.3).
Characters are tried first, then words without regard to case and white space.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from longra.text.tidy.change import Edit
from longra.text.tidy.document import Document
from longra.text.tidy.inline import Span, code_spans, span_around
from longra.text.tidy.scripts import weight
from longra.text.tidy.steps import Report

WINDOW = 65_536
"""Items at the end of the text in which a period is looked for; the repetition itself may be longer."""

LEAST_TIMES = 3
LEAST_WEIGHT = 24
"""Letters that the repetition must have in all, an ideograph counting twice: "ha ha ha" and 哈哈哈哈 are speech."""

LEAST_WEIGHT_OF_TWO = 200
"""Letters of a passage that is a loop already when it comes for the second time."""

LEAST_SIGNS = 100
LEAST_EQUAL_SIGNS = 200
"""Items of a repetition without letters, like `1. 1. 1.`, or of one sign only: rules and leaders are shorter."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+|[^\w\s]")
_SPACE = re.compile(r"\s")
_BOUNDARY = re.compile(r"[。！？!?…][”’\"')）」』*_]*|\.[”’\"')*_]*(?=\s|$)|(?=\n)")


@dataclass(frozen=True)
class Repetition:
    """items[start:end] has period `period`; `end` is the end of the items."""

    start: int
    end: int
    period: int


def find(document: Document, option: str, report: Report) -> Iterator[Edit]:  # noqa: ARG001
    """At most one edit: the removal of what comes after the first occurrence."""
    tail = document.tail
    if tail is None:
        return
    text = document.text
    end = tail.start + len(text[tail.start : tail.end].rstrip())
    found = _of_characters(text, tail.start, end) or _of_words(text, tail.start, end)
    cut = found and _cut(text, found, code_spans(document))
    if cut and cut < end:
        yield Edit(cut, text[cut:end], "", "repeated tail")


@dataclass(frozen=True)
class _Room:
    """Characters between which the text may end: behind the first occurrence, before the end of the second."""

    least: int
    most: int
    otherwise: int
    """Where to end it if there is no better place between them."""


def _of_characters(text: str, start: int, end: int) -> _Room | None:
    window = text[max(start, end - WINDOW) : end]
    found = repeated_tail(window, list(map(weight, window)))
    if found is None:
        return None
    period = found.period
    first = _reach_back(text, start, end - (found.end - found.start), period)
    same_point = end - (end - first - period) // period * period  # where the last occurrence breaks off, in the second
    least = first + len(text[first : first + period].rstrip())
    return _Room(least, first + 2 * period - 1, same_point)


def _reach_back(text: str, limit: int, first: int, period: int) -> int:
    """The start of the repetition when it is longer than the window; compared in growing strides."""
    stride = period
    while first - stride >= limit and text[first - stride : first] == text[first - stride + period : first + period]:
        first -= stride
        stride *= 2
    while first > limit and text[first - 1] == text[first - 1 + period]:
        first -= 1
    return first


def _of_words(text: str, start: int, end: int) -> _Room | None:
    start = max(start, end - 8 * WINDOW)  # enough characters for the window's words
    words = list(_WORD.finditer(text, start, end))[-WINDOW:]
    keys = [word.group().casefold() for word in words]
    found = repeated_tail(keys, [sum(map(weight, key)) for key in keys])
    if found is None:
        return None
    second, third = found.start + found.period, found.start + 2 * found.period
    least = words[second - 1].end()
    return _Room(least, words[third].start() if third < len(words) else end, least)


def repeated_tail(items: Sequence[str], weights: Sequence[int]) -> Repetition | None:
    """The longest repetition at the end of the items that counts as a loop; of equal ones, that with the least period.

    Args:
        items: characters, or words.
        weights: how much each item says; see `weight`.
    """
    size = len(items)
    matches = _z_function(items[::-1])
    heavy = [0, *accumulate(reversed(weights))]  # weight of the last n items
    best = Repetition(size, size, 0)
    for period in range(1, size // 2 + 1):
        length = period + matches[period]
        if length <= best.end - best.start or length < 2 * period:
            continue
        times = length // period
        if _is_loop(times, heavy[period], heavy[times * period], length):
            best = Repetition(size - length, size, period)
    return best if best.period else None


def _is_loop(times: int, unit: int, total: int, length: int) -> bool:
    if times < LEAST_TIMES:
        return unit >= LEAST_WEIGHT_OF_TWO
    if unit:
        return total >= LEAST_WEIGHT
    return length >= (LEAST_SIGNS if times < length else LEAST_EQUAL_SIGNS)


def _z_function(items: Sequence[str]) -> list[int]:
    """z[i]: how many items from i on equal those from 0 on; z[0] is 0."""
    size = len(items)
    z = [0] * size
    left = right = 0
    for i in range(1, size):
        length = min(right - i, z[i - left]) if i < right else 0
        while i + length < size and items[length] == items[i + length]:
            length += 1
        z[i] = length
        if i + length > right:
            left, right = i, i + length
    return z


def _cut(text: str, room: _Room, spans: list[Span]) -> int | None:
    """Where to end the text: at the next end of a sentence or line, else of a word. A code span is not cut."""
    candidates = [match.end() for match in _BOUNDARY.finditer(text, room.least - 1, room.most)]
    space = _SPACE.search(text, room.least, room.most)
    if space:
        candidates.append(space.start())
    for at in (*candidates, room.otherwise):
        span = span_around(at, spans)
        if at >= room.least and (span is None or span.start == at):
            return at
    return None
