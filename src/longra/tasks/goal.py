"""How long a text is to be, and where to end it."""

from dataclasses import dataclass
from typing import Any

from longra.errors import UsageError
from longra.text.tidy.document import Document
from longra.text.tidy.inline import foreign_spans
from longra.text.tidy.sentence import sentence_ends
from longra.text.units import UnitName, count, name_of, units_of

TOLERANCE = 0.1
"""A text is as long as was asked for if it is within this share of it."""

REACH = 0.25
"""An end of a sentence is looked for within this share of the length; without one, the text ends behind a word."""


@dataclass(frozen=True)
class Goal:
    """A length in words, or in characters where the request is written in ideographs.

    Attributes:
        length: wanted, 1 or more.
        unit: what it is counted in; `longra.text.units.count` counts either.
    """

    length: int
    unit: UnitName

    def report(self, text: str) -> dict[str, Any]:
        """How long a text is, beside what was asked for, as `--json` tells it."""
        reached = count(text)
        met = abs(reached - self.length) <= TOLERANCE * self.length
        return {"target": self.length, "reached": reached, "unit": self.unit, "met": met}

    def end(self, text: str, ended: bool = False) -> int | None:
        """Where a text is to end: behind the sentence that brings it nearest to the length.

        Args:
            text: what there is of it.
            ended: it has come to an end by itself; else it goes on.

        Returns:
            a place in the text; None while there is too little of it, or a better place may come.
        """
        units = units_of(text)
        over = len(units) - self.length
        if over < -(TOLERANCE if ended else REACH) * self.length:
            return None
        zone = units[max(int((1 - REACH) * self.length) - 1, 0)].start
        places = [*_ends(text, zone), *([len(text)] if ended else [])]
        off, best = min(((abs(count(text[:end]) - self.length), end) for end in places), default=(None, None))
        if off is not None:
            return best if ended or over >= off else None
        return units[self.length - 1].end if over > REACH * self.length else None


def goal_for(request: str, length: int) -> Goal:
    """The goal that a length means: characters for a request in Chinese or Japanese, else words.

    Raises:
        UsageError: the length is less than 1.
    """
    if length < 1:
        raise UsageError(f"the length is {length}; it must be 1 or more")
    return Goal(length, name_of(units_of(request)))


def _ends(text: str, start: int) -> list[int]:
    """Ends of sentences in text[start:]; the end of the text is none, for what follows may belong to the sentence."""
    tail = text[start:]
    spans = foreign_spans(Document(tail))
    return [start + end for end in sentence_ends(tail, spans) if tail[end:].strip()]
