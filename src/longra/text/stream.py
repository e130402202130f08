"""Turns tokens into text as they come, a character at a time and never half a character."""

import codecs
from collections.abc import Callable


class StreamDecoder:
    """Decodes one token after the other. The pieces that `push` and `flush` return, joined, are what `decode` gives.

    Args:
        text_bytes: gives the bytes that a token adds to the text (none for a token that is left out).
        strip_space: leave out a space that begins the text.
    """

    def __init__(self, text_bytes: Callable[[int], bytes], strip_space: bool = False) -> None:
        self._text_bytes = text_bytes
        self._strip_space = strip_space
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        """Text that became complete with this token; bytes of an unfinished character wait for the next ones."""
        return self._begin(self._utf8.decode(self._text_bytes(token)))

    def flush(self) -> str:
        """What is left at the end: U+FFFD if the last character was never finished. The decoder is then new again."""
        rest = self._begin(self._utf8.decode(b"", final=True))
        self._utf8.reset()
        return rest

    def _begin(self, text: str) -> str:
        if self._strip_space and text:
            self._strip_space = False
            return text.removeprefix(" ")
        return text
