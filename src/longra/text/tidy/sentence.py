"""Step `sentence`: drop an unfinished last sentence, as a limit on tokens leaves it behind.

What is not clearly cut off stays: headings, lists of fragments, verse and titles without punctuation, text of which no
sentence is finished. At least one finished sentence is always left.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from longra.text.tidy.change import Edit
from longra.text.tidy.document import LIST_ITEM, Block, Document, Line, paragraphs
from longra.text.tidy.inline import Span, foreign_spans, span_around
from longra.text.tidy.scripts import CJK_OR_WIDE, EMOJI, weight
from longra.text.tidy.steps import Report

LONGEST = 2000
"""Characters; a longer stretch without the end of a sentence is text of another kind, and stays."""

_END = re.compile(
    r"(?P<mark>[。！？｡؟۔।॥]+|…+|[.!?]+)"
    r"(?P<close>(?:[\"'”’)）\]】}」』》〉〕*_~]|\[\^?\w{1,10}\]|[。！？!?…])*)"
    r"(?:\s?[\u2600-\u27bf\U0001f000-\U0001faff\ufe0f\u200d])*"
)
_QUOTES = frozenset("\"'”’」』")
_OPENERS = frozenset("\"'“‘(（[【「『《<*_~")
_BARE_NUMBER = re.compile(r"[ \t>]*\d{1,9}$")
_LAST_WORD = re.compile(r"[A-Za-z][A-Za-z.]*$")
_LAST_WORDS = re.compile(
    r"[（(【\[「“*_—–-].*[）)】\]」”*_—–-]"
    r"|(?:the )?end|finis?|to be continued|(?:全文|全书|本章)?[完终終]|剧终|劇終|未完待[续續]",
    re.IGNORECASE,
)
"""A last line that says that the text ends there, or that stands between brackets or dashes."""
_LONGEST_OF_VERSE = 40
"""Letters in a line of verse, of an address or of a signature, an ideograph counting twice."""
_HEADING = re.compile(r" {0,3}(?:#{1,6}(?:\s|$)|(?:=+|-+|[-*_](?:\s*[-*_]){2,})\s*$)")


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


_NEVER_LAST = _words(
    "mr mrs ms dr prof gen sen rep gov capt lt col sgt rev hon messrs vs cf e.g i.e approx fig figs eq eqs"
)
"""Abbreviations that always stand before something."""

_BEFORE_NUMBER = _words("no nos vol vols p pp ch sec art ver jan feb mar apr jun jul aug sep sept oct nov dec")
"""Abbreviations before a number; else they are words or ends."""


@dataclass(frozen=True)
class _Part:
    """The last list item, table row or paragraph: its characters, and where what comes before it ends."""

    start: int
    end: int
    before: int
    follows_sentence: bool
    """Whether it may be dropped whole: what is left ends with a finished sentence, a heading or code."""


def find(document: Document, option: str, report: Report) -> Iterator[Edit]:  # noqa: ARG001
    """At most one edit: the removal of the unfinished end."""
    tail = document.tail
    if tail is None:
        return
    spans = foreign_spans(document)
    part = _last_part(document, tail, spans)
    if part is None or _is_emoji(document.text[part.end - 1]):
        return
    cut = _last_end(document.text, part.start, part.end, spans)
    if cut is None and part.follows_sentence and not _is_whole(document.text[part.start : part.end]):
        cut = part.before
    if cut is not None and cut < part.end <= cut + LONGEST:
        yield Edit(cut, document.text[cut : part.end], "", "unfinished sentence")


def sentence_ends(text: str, spans: list[Span]) -> Iterator[int]:
    """Behind each end of a sentence, with the quotes and brackets that close there. An ellipsis is a pause, no end.

    Args:
        spans: what no sentence ends in.
    """
    for match in _END.finditer(text):
        inside = span_around(match.start(), spans)
        if not inside and match["mark"][0] != "…" and _ends_sentence(text, match, len(text)):
            yield match.end()


def _is_whole(part: str) -> bool:
    """Whether a last paragraph without a full stop is not cut off: verse, a signature, or `（完）`."""
    lines = [line.strip() for line in part.splitlines()]
    if len(lines) < 2:
        return _LAST_WORDS.fullmatch(part.strip()) is not None
    return all(sum(map(weight, line)) <= _LONGEST_OF_VERSE for line in lines)


def _last_part(document: Document, tail: Block, spans: list[Span]) -> _Part | None:
    """What the text ends with; None if it is a heading, a rule, or a complete row of a table."""
    lines = list(paragraphs(tail))[-1]
    last = lines[-1]
    end = last.start + len(last.text.rstrip())
    if _HEADING.match(last.text):
        return None
    if last.text.lstrip().startswith("|"):
        return _row(document.text, lines, end)
    items = [line for line in lines if LIST_ITEM.match(line.text.lstrip())]
    if items:
        item = LIST_ITEM.match(items[-1].text.lstrip())
        indent = len(items[-1].text) - len(items[-1].text.lstrip())
        start = items[-1].start + indent + (item.end() if item else 0)
        return _Part(start, end, *_what_precedes(document, tail, items[-1], spans, in_list=True))
    return _Part(lines[0].start, end, *_what_precedes(document, tail, lines[0], spans, in_list=False))


def _row(text: str, lines: list[Line], end: int) -> _Part | None:
    """A table row that lacks its closing bar, below one that has it."""
    if text[end - 1] == "|" or len(lines) < 2 or not lines[-2].text.rstrip().endswith("|"):
        return None
    return _Part(end, end, lines[-2].end, follows_sentence=True)


def _what_precedes(document: Document, tail: Block, line: Line, spans: list[Span], in_list: bool) -> tuple[int, bool]:
    """Where the text before a line ends, and whether it ends in a way that a text may end."""
    text = document.text
    before = len(text[: line.start].rstrip())
    if before <= tail.start:
        return max(tail.start - 1, 0), tail.start > 0  # code comes before, or nothing at all
    previous = text[text.rfind("\n", 0, before) + 1 : before]
    if in_list:
        if not previous[:1].isspace() and not LIST_ITEM.match(previous):
            return before, False  # the first item
    elif _HEADING.match(previous):
        return before, tail.start > 0 or _last_end(text, 0, before - len(previous), spans) is not None
    return before, _last_end(text, tail.start, before, spans) == before


def _last_end(text: str, start: int, end: int, spans: list[Span]) -> int | None:
    """Behind the last end of a sentence in text[start:end], with the quotes and brackets that close there."""
    start = max(start, end - LONGEST)
    for match in reversed(list(_END.finditer(text, start, end))):
        if not span_around(match.start(), spans) and _ends_sentence(text, match, end):
            return match.end()
    return None


def _ends_sentence(text: str, match: re.Match[str], end: int) -> bool:
    mark = match["mark"]
    following = text[match.end() : match.end() + 1] if match.end() < end else ""
    if mark[0] not in ".!?":
        return True
    if following and not (following.isspace() or following in _OPENERS or CJK_OR_WIDE.match(following)):
        return False  # 3.14, node.js
    rest = text[match.end() : min(match.end() + 40, end)].lstrip()
    if _QUOTES & set(match["close"]) and rest[:1].islower():
        return False  # "Stop!" he said
    return mark != "." or not _is_abbreviation(text, match.start(), rest)


def _is_abbreviation(text: str, dot: int, rest: str) -> bool:
    """Whether the full stop at `dot`, before `rest`, belongs to a number of a list or to a short form."""
    line = text[max(text.rfind("\n", 0, dot) + 1, dot - 40) : dot]
    if _BARE_NUMBER.match(line):
        return True
    found = _LAST_WORD.search(line)
    if found is None:
        return False
    word = found.group()
    short = word.lower()
    if short in _NEVER_LAST:
        return True
    if short in _BEFORE_NUMBER:
        return rest[:1].isdigit()
    if len(word) == 1 and word != "I":  # J. S. Bach; "plan B." at the end of the text
        return word.isupper() and rest[:1].isupper()
    return "." in word and rest[:1].islower()  # at 5 p.m. he; in the U.S. he


def _is_emoji(character: str) -> bool:
    return EMOJI.match(character) is not None
