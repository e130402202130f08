"""Where a prompt comes from: a file or standard input, and the command line; what there is of them, in this order."""

import codecs
import sys
from pathlib import Path

from longra.cli.shared import console
from longra.errors import UsageError

_STDIN = "standard input"


def read_prompt(argument: str | None, file: Path | None) -> str:
    """The prompt: the file, else standard input where it is not a terminal, then a blank line and the argument.

    The line break that ends a file or standard input is left out, so that `echo "Once upon" | longra generate` goes on
    in the same line.

    Raises:
        UsageError: there is no prompt, it is empty or blank, or it is not text in UTF-8 (or marked UTF-16).
    """
    _check_text(argument or "")
    parts = [part for part in (given_text(file), argument) if part is not None]
    if not parts:
        raise UsageError('there is no prompt; type `longra generate "..."`, or give it by --file or standard input')
    prompt = "\n\n".join(part for part in parts if part)
    if not prompt:
        raise UsageError("the prompt is empty; give at least one character")
    if prompt.isspace():
        raise UsageError("the prompt has only blanks; give at least one character that can be seen")
    return prompt


def file_text(file: Path) -> str:
    """A file's text, without the line break that ends it.

    Raises:
        UsageError: it is not text in UTF-8 (or marked UTF-16).
    """
    return _text(file.read_bytes(), str(file))


def given_text(file: Path | None) -> str | None:
    """The text of the file, or of standard input where it is not a terminal; None where there is neither."""
    if file is not None and str(file) != "-":
        return file_text(file)
    if sys.stdin is None or (file is None and console.is_terminal(sys.stdin)):
        return None
    return _text(sys.stdin.buffer.read(), _STDIN)


def _check_text(argument: str) -> None:
    try:
        argument.encode()
    except UnicodeEncodeError as error:  # Python reads a byte that is not UTF-8 as half of a surrogate pair
        raise UsageError(
            f"the prompt is not UTF-8 (at character {error.start + 1:,}); set the terminal to UTF-8, or use --file"
        ) from None


def _text(data: bytes, where: str) -> str:
    """UTF-8, or UTF-16 where its mark begins the data."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{where} is not {'UTF-16, as its first bytes say' if marked else 'UTF-8'} "
            f"(byte {data[error.start]:#04x} at {error.start:,}); "
            f"convert it, for example by `iconv -f {_guess(data)} -t UTF-8`"
        ) from None
    return text.removesuffix("\n").removesuffix("\r")


def _guess(data: bytes) -> str:
    """The likelier of two encodings: Western letters are hardly ever followed by what Chinese ones need."""
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return "WINDOWS-1252"
    return "GB18030"
