"""Where the prefix cache keeps its page files, and how large it may become: the user's word, else the store."""

import os
from pathlib import Path

from longra.errors import UsageError
from longra.library.paths import store_home
from longra.sizes import parse_bytes

DIR_VARIABLE = "LONGRA_CACHE_DIR"
SIZE_VARIABLE = "LONGRA_CACHE_SIZE"
NONE = "none"


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
    size = parse_bytes(text)
    if size is None:
        raise UsageError(f"{SIZE_VARIABLE} is {text!r}; give a size such as 500MB or 20GB")
    return size
