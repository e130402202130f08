"""Step `unicode`: repair what wrong decoding did, and remove characters that no reader sees.

The work is done by ftfy. Its typographic habits are switched off: straight quotes and half-width forms are wrong in
Chinese, and entities such as `&lt;` mean something in Markdown.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from longra.text.tidy.change import Edit
from longra.text.tidy.document import Document
from longra.text.tidy.inline import code_spans, pieces, trimmed
from longra.text.tidy.steps import Report

_KINDS = {
    "fix_encoding": "mojibake",
    "encode": "mojibake",
    "decode": "mojibake",
    "remove_control_chars": "control character",
    "remove_terminal_escapes": "terminal escape",
    "fix_c1_controls": "control character",
    "fix_latin_ligatures": "ligature",
    "normalization": "normal form",
}


@lru_cache(maxsize=1)
def _ftfy() -> tuple[Any, Any]:
    import ftfy

    config = ftfy.TextFixerConfig(
        unescape_html=False, uncurl_quotes=False, fix_character_width=False, fix_line_breaks=False
    )
    return ftfy, config


def find(document: Document, option: str, report: Report) -> Iterator[Edit]:  # noqa: ARG001
    """Edits that repair each part of a prose line between code spans."""
    if document.text.isascii() and document.text.isprintable():
        return
    spans = code_spans(document)
    repair: Callable[[str], str] | None = None
    for line in document.prose_lines:
        if line.text.isascii() and line.text.replace("\t", "").isprintable():
            continue  # plain ASCII is never mojibake
        repair = repair or _repair
        for piece in pieces(line, spans):
            after = repair(piece.text)
            if after != piece.text:
                yield trimmed(Edit(piece.start, piece.text, after, _kind(piece.text)))


def _repair(text: str) -> str:
    ftfy, config = _ftfy()
    return str(ftfy.fix_text(text, config))


def _kind(text: str) -> str:
    ftfy, config = _ftfy()
    steps = ftfy.fix_and_explain(text, config).explanation or []
    names = [step.parameter if step.action in ("apply", "normalize") else step.action for step in steps]
    return next((_KINDS[name] for name in names if name in _KINDS), "normal form")
