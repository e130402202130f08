"""Translates a text: the whole of it in one call, or piece by piece."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longra.tasks.template import Template
from longra.tasks.translation.document import Document, Segment, Wanted
from longra.tasks.translation.formats import read_document
from longra.tasks.translation.glossary import Glossary
from longra.tasks.translation.journal import Journal
from longra.tasks.translation.languages import Language, language, language_of
from longra.tasks.translation.placeholders import without
from longra.tasks.translation.prompts import Prompts
from longra.tasks.translation.run import Watch, outcomes_of, unwatched
from longra.tasks.translation.translator import Outcome, Translator
from longra.text.script import scripts_of

if TYPE_CHECKING:
    from longra.model import Model

_QUANTITY = re.compile(r"[+-]?\d[\d.,]*\s?[^\W\d_]{1,3}")
"""135 M, 98 MB, 20 °C: the same in all languages."""


@dataclass(frozen=True)
class Translated:
    """A segment and what became of it."""

    segment: Segment
    outcome: Outcome

    def as_json(self) -> dict[str, Any]:
        """Keys and values of the command line's JSON."""
        return {
            "line": self.segment.line,
            "source": self.segment.text,
            "target": self.outcome.text,
            "tries": self.outcome.tries,
            "problems": [{"kind": problem.kind, "message": problem.message} for problem in self.outcome.problems],
            "rejected": self.outcome.rejected,
        }


class Translation:
    """A document on its way into another language. Iterate over it: the text comes in pieces, as it is done. An exception
    meanwhile (KeyboardInterrupt too) ends what is under way; the journal has what was done.

    Args:
        document: what is translated.
        translator: by whom.
        journal: what is known already, and gets what is done.

    Attributes:
        segments: what is done so far, in order.
    """

    def __init__(self, document: Document, translator: Translator, journal: Journal) -> None:
        self.document = document
        self.translator = translator
        self.journal = journal
        self.segments: list[Translated] = []
        self.watch: Watch = unwatched
        self._written: list[str] = []

    def __iter__(self) -> Iterator[str]:
        with closing(outcomes_of(self.document, self.translator, self.journal, self.watch)) as outcomes:
            for piece in self.document.write(self._texts(outcomes), self.target.has_spaces):
                self._written.append(piece)
                yield piece

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """The document as far as it is done."""
        return "".join(self._written)

    @property
    def source(self) -> Language | None:
        """The language from which; None if it is not known."""
        return self.translator.prompts.source

    @property
    def target(self) -> Language:
        """The language into which."""
        return self.translator.prompts.target

    @property
    def faulty(self) -> list[Translated]:
        """The segments with problems."""
        return [done for done in self.segments if done.outcome.problems]

    def as_json(self) -> dict[str, Any]:
        """The object that `longra translate --json` prints."""
        return {
            "text": self.text,
            "from": self.source.code if self.source else None,
            "to": self.target.code,
            "segments": [done.as_json() for done in self.segments],
            "warnings": len(self.faulty),
        }

    def _texts(self, outcomes: Iterator[Outcome]) -> Iterator[str | None]:
        for segment, outcome in zip(self.document.segments, outcomes, strict=True):
            self.segments.append(Translated(segment, outcome))
            yield outcome.text


def translation(
    model: "Model",
    text: str,
    to: str | Language,
    *,
    source: str | Language | None = None,
    form: str = "txt",
    glossary: Glossary | None = None,
    template: str | Path = "translate",
    journal: Path | None = None,
    **parameters: Any,
) -> Translation:
    """A translation that has not begun.

    Args:
        model: who translates.
        text: what is translated.
        to: the language, or its code or name.
        source: of the text; None finds it where the script says it, and else leaves it to the model.
        form: "txt", "md", "srt", "po", or "lines" for a line of each line.
        glossary: terms that must be used.
        template: for the task translate, a name or a file.
        journal: the file that keeps what is done; None for memory alone.
        parameters: fields of `GenerationConfig`, in place of the template's.

    Raises:
        UsageError: there is no such language, template or parameter.
        TemplateError: the template has no form for such a model.
        LongraError: the journal cannot be read.
    """
    target = _language(to)
    document, known = _read(text, form, target, None if source is None else _language(source))
    chat = model.template is not None
    prompts = Prompts(Template.load(template, "translate"), chat, known, target, glossary or Glossary())
    return Translation(document, Translator(model, prompts, parameters), Journal(journal))


def translate(model: "Model", text: str, to: str | Language, **how: Any) -> Translation:
    """Translate a text, to its end.

    Args:
        how: as in `translation`.
    """
    translated = translation(model, text, to, **how)
    for _ in translated:
        pass
    translated.journal.remove()
    return translated


def _language(named: str | Language) -> Language:
    return named if isinstance(named, Language) else language(named)


def _read(text: str, form: str, target: Language, source: Language | None) -> tuple[Document, Language | None]:
    """The document, and its language if that is known."""
    if source is None:
        everything = read_document(text, form, lambda shown: any(map(str.isalpha, without(shown))))
        source = language_of(" ".join(without(segment.text) for segment in everything.segments))
    return read_document(text, form, _wanted(source, target)), source


def _wanted(source: Language | None, target: Language) -> Wanted:
    """Whether a sentence has letters of the source language, or, if that is not known, any that the target's are not."""

    def wanted(text: str) -> bool:
        letters = without(text)
        if _QUANTITY.fullmatch(letters.strip()):
            return False
        found = set(scripts_of(letters))
        if source is not None and source.scripts:
            return not source.scripts.isdisjoint(found)
        shared = target.scripts if "Latin" not in target.scripts else frozenset()
        return not found <= shared if found else any(map(str.isalpha, letters))

    return wanted
