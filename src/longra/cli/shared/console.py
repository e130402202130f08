"""What every verb shares on a terminal: results go to stdout, everything else to stderr."""

import io
import json
import logging
import math
import os
import sys
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, TextIO

from longra.text.width import character_width, text_width


def prepare() -> None:
    """Make both streams take any text: what a terminal's encoding lacks is escaped, a closed stream takes all."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # `longra ... >&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def result(text: str) -> None:
    """Print a result on stdout."""
    sys.stdout.write(text + "\n")


def result_json(value: Any) -> None:
    """Print one JSON object on one line of stdout, characters unescaped (a JSON lines stream may follow).

    JSON has no NaN and no infinity: they are null."""
    sys.stdout.write(json.dumps(_finite(value), ensure_ascii=False, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def write(piece: str) -> None:
    """Stream a piece of text to stdout at once."""
    sys.stdout.write(piece)
    sys.stdout.flush()


def note(text: str) -> None:
    """Tell the user something on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def warning(text: str) -> None:
    """Tell the user on stderr of something that may not be wanted."""
    note(f"{paint('warning:', '33')} {text}")


def tell_warnings() -> None:
    """Show what the package itself warns of as warnings of the command."""
    logging.getLogger("longra").addHandler(_WARNINGS)  # once, however often it is said


class _Warnings(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        warning(record.getMessage())


_WARNINGS = _Warnings()


def error(text: str) -> None:
    """Tell the user on stderr why it did not work."""
    note(f"{paint('error:', '31')} {text}")


def is_terminal(stream: TextIO | None = None) -> bool:
    """Whether a stream (stderr unless given) is a terminal: only there are progress bars shown."""
    stream = sys.stderr if stream is None else stream
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def has_colour(stream: TextIO | None = None) -> bool:
    """Whether a stream (stderr unless given) takes colours; see https://no-color.org."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, code: str, stream: TextIO | None = None) -> str:
    """text in a colour given by its SGR code ("31" red, "33" yellow, "1" bold), where the stream takes colours."""
    return f"\x1b[{code}m{text}\x1b[0m" if has_colour(stream) else text


def abandon_stdout() -> None:
    """Send what is still buffered nowhere: the reader of the pipe has left."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)


def shortened(text: str, columns: int) -> str:
    """A text of one line that takes at most so many columns, with … where it was longer."""
    if text_width(text) <= columns:
        return text
    ends = accumulate(map(character_width, text))
    return "".join(character for character, end in zip(text, ends, strict=True) if end < columns).rstrip() + "…"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Lines of aligned columns; columns numbered in `right` are aligned to the right."""
    lines = [header, *rows]
    widths = [max(text_width(line[i]) for line in lines) for i in range(len(header))]

    def cell(i: int, text: str) -> str:
        pad = " " * (widths[i] - text_width(text))
        return pad + text if i in right else text + pad

    return "\n".join("  ".join(cell(i, text) for i, text in enumerate(line)).rstrip() for line in lines)
