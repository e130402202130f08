"""Reads the text that a user names: a file or standard input, in the encoding that they say."""

import sys
from pathlib import Path

from longra.errors import LongraError, UsageError


def read_text(file: Path | None, encoding: str) -> str:
    """A file's text, or that of standard input for None and `-`.

    Raises:
        UsageError: there is no such encoding.
        LongraError: the file cannot be read, or its bytes are not in this encoding; the message says where.
    """
    named = file is not None and file != Path("-")
    name = name_of(file)
    try:
        data = file.read_bytes() if file is not None and named else sys.stdin.buffer.read()
        return data.decode(encoding)
    except LookupError:
        raise UsageError(f"there is no encoding {encoding!r}; try utf-8, gb18030, big5 or utf-16") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LongraError(
            f"{name} is not {encoding} (byte 0x{data[error.start]:02x} at {error.start:,}, line {line:,}); "
            "say how it is stored, for example --encoding gb18030"
        ) from None
    except OSError as error:
        raise LongraError(f"cannot read {name}: {error.strerror}; check the path") from None


def measured_text(file: Path | None, encoding: str) -> str:
    """As `read_text`, without the byte order mark that some editors put before a text: it is not of the text."""
    return read_text(file, encoding).removeprefix("\ufeff")


def name_of(file: Path | None) -> str:
    """What to call it."""
    return "standard input" if file is None or file == Path("-") else str(file)
