"""Where the prefix cache keeps its page files, and how large it may become: the user's word, else the store."""

import os
import re
from pathlib import Path

from longra.errors import UsageError
from longra.library.paths import store_home

DIR_VARIABLE = "LONGRA_CACHE_DIR"
SIZE_VARIABLE = "LONGRA_CACHE_SIZE"
NONE = "none"
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


def cache_folder(wanted: str | Path | None = None) -> Path | None:
    """The folder: the one wanted, else $LONGRA_CACHE_DIR, else cache/ in the store; None where that is "none"."""
    place = str(wanted or "") or os.environ.get(DIR_VARIABLE)
    if place == NONE:
        return None
    return Path(place).expanduser().absolute() if place else store_home() / "cache"


def cache_limit() -> int | None:
    """Bytes that the folder may take by $LONGRA_CACHE_SIZE, such as 500MB or 20GB; None where it is not set.

    Raises:
        UsageError: it is no size.
    """
    text = os.environ.get(SIZE_VARIABLE)
    if not text:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?b)?\s*", text, re.IGNORECASE)
    if match is None:
        raise UsageError(f"{SIZE_VARIABLE} is {text!r}; give a size such as 500MB or 20GB")
    return int(float(match[1]) * _UNITS[(match[2] or "").lower()])
