"""Step `grammar`: correct clear mistakes of English, offline (harper).

Of harper's some 900 rules only those listed here are applied, and only where they leave no choice: they were tried on
half a million characters of edited prose, and those that changed what was right, or style, or spelling, are not listed.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from longra.text.tidy.change import Edit
from longra.text.tidy.document import Document, paragraphs
from longra.text.tidy.inline import Span, foreign_spans, span_around
from longra.text.tidy.scripts import CJK
from longra.text.tidy.steps import Report

RULES = frozenset(
    (
        "AdjectiveDoubleDegree",
        "AnA",
        "AnAnother",
        "AnotherAn",
        "CapitalizePersonalPronouns",
        "CommaFixes",
        "CorrectNumberSuffix",
        "DidPast",
        "HadOf",
        "HeDos",
        "ItsPossessive",
        "ModalOf",
        "OpenCompounds",
        "PronounInflectionBe",
        "PronounVerbAgreement",
        "RepeatedWords",
        "SimplePastToPastParticiple",
        "TheMy",
        "ThenThan",
        "ThereToTheir",
        "ToTo",
    )
)
"""Those of harper's rules that are applied."""

SPELLING = "SpellCheck"
"""Of this rule, only a missing apostrophe is put in: dont, didnt."""


PASSAGE = 50_000
"""Characters after which a passage that is checked at once is ended."""

FEW_WORDS = 8

_KINDS = {"Miscellaneous": "usage", "Spelling": "apostrophe", "WordChoice": "usage"}


@lru_cache(maxsize=1)
def _linter() -> Any:
    import harper

    linter = harper.Linter()
    linter.set_lint_config({rule: rule in RULES or rule == SPELLING for rule in linter.get_lint_config()})
    return linter


def find(document: Document, option: str, report: Report) -> Iterator[Edit]:  # noqa: ARG001
    """Corrections of the paragraphs that are English; those with Chinese, Japanese or Korean in them stay."""
    spans = foreign_spans(document)
    for start, end in _passages(document):
        yield from _corrections(document.text[start:end], start, spans)


def _passages(document: Document) -> Iterator[tuple[int, int]]:
    """Start and end of neighbouring English paragraphs; harper is slow to start and quick to go on."""
    for block in document.prose:
        start: int | None = None
        end = 0
        for lines in paragraphs(block):
            text = document.text[lines[0].start : lines[-1].end]
            is_english = not CJK.search(text) and _is_english(text)
            if start is not None and (not is_english or end - start > PASSAGE):
                yield start, end
                start = None
            if is_english:
                start = lines[0].start if start is None else start
                end = lines[-1].end
        if start is not None:
            yield start, end


def _is_english(text: str) -> bool:
    """harper's judgement, which needs some words; fewer pass if they are plain ASCII."""
    return bool(_linter().is_likely_english(text)) or (text.isascii() and len(text.split(None, FEW_WORDS)) < FEW_WORDS)


def _corrections(text: str, offset: int, spans: list[Span]) -> Iterator[Edit]:
    found: list[Edit] = []
    for lint in _linter().lint(text, language="markdown"):
        edit = _edit(lint, text, offset)
        if edit and not span_around(edit.start, spans) and not span_around(edit.start + len(edit.before), spans):
            found.append(edit)
    done = 0
    for edit in sorted(found, key=lambda edit: edit.start):
        if edit.start >= done:
            yield edit
            done = edit.start + max(len(edit.before), 1)


def _edit(lint: Any, text: str, offset: int) -> Edit | None:
    """The lint's own correction, if it has exactly one that is safe."""
    start, end = lint.span.start, lint.span.end
    before = text[start:end]
    options = [_replacement(before, suggestion) for suggestion in lint.suggestions]
    if lint.lint_kind == "Spelling":
        options = [option for option in options if option != before and option.replace("'", "") == before]
    elif lint.lint_kind == "Capitalization" and (text[start - 1 : start].strip() or text[end : end + 1].strip()):
        return None  # an index, not the writer: i-th, *i*
    if len(options) != 1 or options[0] == before:
        return None
    return Edit(offset + start, before, options[0], _KINDS.get(lint.lint_kind, lint.lint_kind_pretty.lower()))


def _replacement(before: str, suggestion: Any) -> str:
    kind = suggestion.kind.name
    if kind == "REMOVE":
        return ""
    replacement = str(suggestion.replacement_text)
    return before + replacement if kind == "INSERT_AFTER" else replacement
