"""Cuts a text into what is measured: its prose, windows of equal length along it, and its sections."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from longra.text.tidy.document import Document
from longra.text.units import Unit, UnitName, name_of, units_of

WINDOW: dict[UnitName, int] = {"words": 250, "characters": 400}
"""Units of a window: about a page, so that each says as much as the next and one figure fits all texts."""

_HEADING = re.compile(r" {0,3}#{1,6}\s|第.{1,9}[章节回卷部]|(?:chapter|part|section)\s+\w+[\s.:]*", re.IGNORECASE)


@dataclass(frozen=True)
class Window:
    """Neighbouring units, from number `first` on (counted from 0)."""

    first: int
    units: Sequence[Unit]

    @property
    def start(self) -> int:
        """First character, in the text."""
        return self.units[0].start

    @property
    def end(self) -> int:
        """Behind the last character."""
        return self.units[-1].end

    @cached_property
    def keys(self) -> list[str]:
        """The units in lower case."""
        return [unit.key for unit in self.units]


class Parts:
    """A text, and its parts. Blocks of code are no prose: they repeat by nature, and are counted as left out.

    Attributes:
        units: words and ideographs of the prose, in order.
        unit: what most of them are.
        code_characters: how much is left out.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.document = Document(text)
        self.units = [unit for block in self.document.prose for unit in units_of(text, block.start, block.end)]
        self.unit = name_of(self.units)
        self.code_characters = sum(block.end - block.start for block in self.document.blocks if block.is_code)

    @cached_property
    def windows(self) -> list[Window]:
        """The text from end to end; a last one of less than half the size belongs to the one before."""
        size = WINDOW[self.unit]
        starts = list(range(0, len(self.units), size))
        if len(starts) > 1 and len(self.units) - starts[-1] < size / 2:
            del starts[-1]
        ends = [*starts[1:], len(self.units)]
        return [Window(start, self.units[start:end]) for start, end in zip(starts, ends, strict=True)]

    @cached_property
    def sections(self) -> list[list[str]]:
        """The units of each section, from one heading to the next; the windows' where there are less than two."""
        starts = [line.start for line in self.document.prose_lines if _HEADING.match(line.text)]
        if len(starts) < 2:
            return [window.keys for window in self.windows]
        found: list[list[str]] = [[] for _ in range(len(starts) + 1)]
        number = 0
        for unit in self.units:
            while number < len(starts) and unit.start >= starts[number]:
                number += 1
            found[number].append(unit.key)
        return [section for section in found if section]
