"""What a text is counted in: words where letters make words, characters where an ideograph is one.

A text with both is counted as LongBench-Write counts it (Bai et al., LongWriter, 2024): its ideographs and its words.
"""

from dataclasses import dataclass
from typing import Literal

import regex

UnitName = Literal["words", "characters"]

IDEOGRAPHS = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
"""Each is a unit by itself; hangul is not among them, for Korean puts spaces between words."""

LETTERS = r"[[\p{L}\p{M}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}]]"
"""What a word is made of; marks too, for a vowel sign within a word of Hindi is one."""

_UNIT = regex.compile(rf"(?V1){IDEOGRAPHS}|{LETTERS}+(?:(?:['’\-]|(?<=\d)[.,](?=\d)){LETTERS}+)*")


@dataclass(frozen=True)
class Unit:
    """A word or an ideograph: where it stands in the text, and its letters in lower case."""

    start: int
    end: int
    key: str

    @property
    def is_ideograph(self) -> bool:
        """Whether it is counted as a character."""
        return self.end - self.start == 1 and _IDEOGRAPH.match(self.key) is not None


_IDEOGRAPH = regex.compile(rf"(?V1){IDEOGRAPHS}")


def units_of(text: str, start: int = 0, end: int | None = None) -> list[Unit]:
    """The words and ideographs of text[start:end]; "don't", "well-known" and "3.14" are one word each."""
    stop = len(text) if end is None else end
    return [Unit(match.start(), match.end(), match.group().lower()) for match in _UNIT.finditer(text, start, stop)]


def name_of(units: list[Unit]) -> UnitName:
    """What most of the units are."""
    return "characters" if sum(unit.is_ideograph for unit in units) * 2 > len(units) else "words"


def count(text: str) -> int:
    """Words and ideographs of a text."""
    return sum(1 for _ in _UNIT.finditer(text))
