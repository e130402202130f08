"""What is wrong with a translation, as far as a program can tell."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from longra.tasks.translation.glossary import Term
from longra.tasks.translation.languages import Language
from longra.tasks.translation.placeholders import count_of, without
from longra.text.script import scripts_of
from longra.text.units import units_of

Kind = Literal["empty", "unfinished", "too long", "placeholder", "untranslated", "term", "emphasis", "lines"]

FATAL: frozenset[Kind] = frozenset({"empty", "unfinished", "too long", "placeholder", "untranslated"})
"""With these a segment stays in its source language; with the others the translation is taken, and reported."""

NAME = 2
"""Words that a name may have, which is the same in another language."""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong: what kind it is of, and what to tell the user."""

    kind: Kind
    message: str

    @property
    def is_fatal(self) -> bool:
        """Whether the translation cannot be taken."""
        return self.kind in FATAL


def problems_of(
    source: str, translation: str, terms: Sequence[Term], languages: tuple[Language | None, Language]
) -> list[Problem]:
    """What is wrong with a translation.

    Args:
        terms: those that occur in the source.
        languages: of the source (None: not known) and of the translation.
    """
    if not translation:
        return [Problem("empty", "the model wrote nothing")]
    found = [*_placeholders(source, translation), *_untranslated(source, translation, *languages)]
    found += [
        Problem("term", f"{term.target!r} for {term.source!r} is missing")
        for term in terms
        if not term.is_met_by(translation)
    ]
    if source.count("**") != translation.count("**"):
        found.append(Problem("emphasis", f"** is there {translation.count('**')} times, not {source.count('**')}"))
    if "\n" in translation:
        found.append(Problem("lines", f"{translation.count(chr(10)) + 1} lines were written for one, and joined"))
    return found


def _placeholders(source: str, translation: str) -> list[Problem]:
    before, after = count_of(source), count_of(translation)
    return [
        Problem("placeholder", f"{_listed(which)} {verb}")
        for which, verb in ((before - after, "was lost"), (after - before, "was added"))
        if which
    ]


def _listed(which: Counter[str]) -> str:
    return ", ".join(which.elements())


def _untranslated(source: str, translation: str, from_: Language | None, to: Language) -> list[Problem]:
    """Source and target are compared by script, and where they share one, by being the same."""
    if (from_ is not None and from_.code == to.code) or _may_be_name(source):
        return []
    same = without(source).casefold().split() == without(translation).casefold().split()
    foreign = bool(to.scripts) and not to.scripts & set(scripts_of(without(translation)))
    return [Problem("untranslated", f"it came back without a word of {to.name}")] if same or foreign else []


def _may_be_name(source: str) -> bool:
    """Whether it may be the same in another language: two words at most, each with a capital."""
    language = without(source)
    words = [language[unit.start : unit.end] for unit in units_of(language)]
    return len(words) <= NAME and all(word[0].isupper() for word in words)
