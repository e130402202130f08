"""How many columns a text takes where each character takes one or two."""

import unicodedata


def text_width(text: str) -> int:
    """Columns that a text takes on a terminal; wide characters (Chinese, most emoji) take two."""
    return sum(map(character_width, text))


def character_width(character: str) -> int:
    """0 for marks that join the character before and for signs that are not seen, 2 for wide characters, else 1."""
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
