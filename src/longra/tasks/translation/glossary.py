"""Terms that must be translated as a glossary says.

A term occurs in a segment if its words stand there, in any case, as words, the last perhaps with an English ending (s,
es, 's). It is met if its translation stands in the segment's translation: in languages without spaces, or for a term
with digits or signs, just so but for case; in others each of its words with any ending, that is with its first letters,
all but the last two, of words of five letters and more ("Krankheiten" meets "Krankheit"; "Häuser" does not meet "Haus").
"""

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import regex

from longra.errors import LongraError
from longra.text.tidy.scripts import CJK_OR_WIDE

_SHOWN = 5
_KNOWN_HEADS = ({"source", "target"}, {"term", "translation"})
_WORD = regex.compile(r"[\p{L}\p{M}'’-]+")
INFLECTED = 5
"""Letters of a word that may end in another way."""


@dataclass(frozen=True)
class Term:
    """A term, its translation, and what its author noted about it."""

    source: str
    target: str
    note: str = ""

    def is_in(self, text: str) -> bool:
        """Whether it occurs in a text of the source language."""
        return self._pattern.search(_folded(text)) is not None

    def is_met_by(self, translation: str) -> bool:
        """Whether a translation has its target."""
        text, target = _folded(translation), _folded(self.target)
        words = target.split()
        if CJK_OR_WIDE.search(target) or not all(_WORD.fullmatch(word) for word in words):
            return target.replace(" ", "") in text.replace(" ", "")
        return all(regex.search(rf"\b{regex.escape(_stem(word))}", text) for word in words)

    @cached_property
    def _pattern(self) -> "regex.Pattern[str]":
        source = _folded(self.source)
        words = r"\s+".join(map(regex.escape, source.split()))
        before = r"\b" if _is_spaced(source[0]) else ""
        after = r"(?:e?s|['’]s)?\b" if _is_spaced(source[-1]) else ""
        return regex.compile(f"{before}{words}{after}")


class Glossary:
    """Terms, each once."""

    def __init__(self, terms: Sequence[Term] = ()) -> None:
        self.terms = tuple(terms)

    def in_text(self, text: str) -> list[Term]:
        """The terms that occur in a text, but those that are only a part of a longer one that does."""
        found = [term for term in self.terms if term.is_in(text)]
        return [term for term in found if not any(term.is_in(other.source) and term is not other for other in found)]


def read_glossary(text: str, name: str) -> Glossary:
    """A glossary from CSV: `source,target` or `source,target,note`, with or without a line of headings.

    Args:
        name: of the file, for errors.

    Raises:
        LongraError: lines are wrong; the message says which, and how.
    """
    terms: dict[str, tuple[int, Term]] = {}
    wrong: list[str] = []
    for line, row in _rows(text, name):
        fault = _fault(row) or _conflict(row, terms)
        if fault:
            wrong.append(f"line {line}: {fault}")
        else:
            source, target, note = (*row, "", "")[:3]
            terms.setdefault(_folded(source), (line, Term(source, target, note)))
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise LongraError(f"{name} is no glossary: {'; '.join(wrong[:_SHOWN])}{more}; a line is: source,target,note")
    return Glossary([term for _, term in terms.values()])


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with the line that each begins in, without a row of headings."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    begins = 1
    try:
        for row in reader:
            fields = [field.strip() for field in row]
            is_head = begins == 1 and {field.lower() for field in fields[:2]} in _KNOWN_HEADS
            if any(fields) and not is_head:
                yield begins, fields
            begins = reader.line_num + 1
    except csv.Error as error:
        raise LongraError(
            f"{name}, line {reader.line_num} is no CSV: {error}; put fields with commas in quotes"
        ) from None


def _fault(row: list[str]) -> str | None:
    if len(row) == 1:
        return f"{row[0]!r} has no translation"
    if len(row) > 3:
        return f"{len(row)} fields where there may be 3 (put a field with a comma in quotes)"
    return None if row[0] and row[1] else f"the {'source' if row[1] else 'target'} is empty"


def _conflict(row: list[str], terms: dict[str, tuple[int, Term]]) -> str | None:
    line, known = terms.get(_folded(row[0]), (0, None))
    if known is None or known.target == row[1]:
        return None
    return f"{row[0]!r} is {known.target!r} in line {line}, and {row[1]!r} here"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _stem(word: str) -> str:
    return word[:-2] if len(word) >= INFLECTED else word


def _is_spaced(character: str) -> bool:
    """Whether words in the script of this character have borders."""
    return character.isalnum() and not CJK_OR_WIDE.match(character)
