"""Step `unicode`: repair what wrong decoding did, and remove characters that no reader sees.

The work is done by ftfy. Its typographic habits are switched off: straight quotes and half-width forms are wrong in
Chinese, and entities such as `&lt;` mean something in Markdown.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from longra.text.tidy.change import Edit
from longra.text.tidy.document import Document
from longra.text.tidy.inline import code_spans, pieces, trimmed
from longra.text.tidy.steps import Report

_SOUND = re.compile(r"[\t -~“”‘’—…\u3000-\u3029\u3030-\u303f\u3041-\u3096\u30a0-\u30ff\u3400-\u9fff\uff01-\uff5e]*")
"""A line of these has nothing to repair: ASCII, ideographs, kana, their punctuation, and quotation marks."""

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
    suspects = [line for line in document.prose_lines if not _SOUND.fullmatch(line.text)]
    spans = code_spans(document) if suspects else []
    for line in suspects:
        for piece in pieces(line, spans):
            after = _repair(piece.text)
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
