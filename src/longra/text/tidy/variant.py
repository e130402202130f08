"""Step `variant`: one form of Chinese characters through the text (OpenCC)."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from longra.text.tidy.change import Edit
from longra.text.tidy.document import Document
from longra.text.tidy.inline import edit_pieces, foreign_spans
from longra.text.tidy.steps import Report

_CONFIGS = {"simplified": "t2s", "traditional": "s2t", "taiwan": "s2tw", "hongkong": "s2hk"}


@lru_cache(maxsize=len(_CONFIGS))
def _converter(variant: str) -> Any:
    from opencc import OpenCC

    return OpenCC(_CONFIGS[variant])


def find(document: Document, option: str, report: Report) -> Iterator[Edit]:  # noqa: ARG001
    """Edits that bring the prose into the variant `option`; "auto" is the one that most of its characters have."""
    if document.text.isascii():
        return
    spans = foreign_spans(document)
    variant = _majority(document) if option == "auto" else option
    if variant:
        yield from edit_pieces(document, spans, _converter(variant).convert, f"to {variant}")


def _majority(document: Document) -> str:
    """The variant that needs fewer characters changed; simplified if both need as many; "" if neither needs any."""
    prose = "\n".join(line.text for line in document.prose_lines)
    traditional = _differences(prose, _converter("simplified").convert(prose))
    simplified = _differences(prose, _converter("traditional").convert(prose))
    if not traditional or not simplified:
        return ""
    return "simplified" if simplified >= traditional else "traditional"


def _differences(before: str, after: str) -> int:
    """Characters that differ; the two configurations replace character by character."""
    return sum(a != b for a, b in zip(before, after, strict=False))
