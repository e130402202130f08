"""Tokens as people can read them: spaces and line ends seen, control tokens by name."""

from typing import TYPE_CHECKING

from longra.cli.shared import console

if TYPE_CHECKING:
    from longra.text.tokenizer import Tokenizer

_MARKS = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍"}
_COLUMNS = 24


def visible(text: str) -> str:
    """A text in one line, with marks for what cannot be seen: ␣ is a space, ⏎ a line end. A long one ends in "…"."""
    shown = "".join(_MARKS.get(c, c if c.isprintable() else f"<U+{ord(c):04X}>") for c in text)
    return console.shortened(shown, _COLUMNS)


def visible_token(token: int, tokenizer: "Tokenizer") -> str:
    """A token's text; its bytes (<E4>) where they are part of a character, its name where it is a control token."""
    data = tokenizer.token_bytes(token)
    if not data or token in tokenizer.special_ids:
        return tokenizer.token_text(token) or f"<{token}>"
    try:
        return visible(data.decode())
    except UnicodeDecodeError:
        return "".join(f"<{byte:02X}>" for byte in data)
