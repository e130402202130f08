"""Sizes and counts as people write them."""

import re

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)b?\s*", re.IGNORECASE)


def parse_bytes(text: str) -> int | None:
    """Bytes that a text such as 500MB, 8G or 1.5 tb means, in decimal units; None if it is no size."""
    found = _SIZE.fullmatch(text)
    return None if found is None else int(float(found[1]) * _UNITS[found[2].lower()])


def human_bytes(count: float) -> str:
    """A size in decimal units, as disks and networks are sold: 491 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if count >= 100 or unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def counted(number: int, noun: str) -> str:
    """A count with its noun: 1 word, 1,200 words."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
