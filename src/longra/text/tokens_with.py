"""The tokens whose text holds one of some strings."""

from collections.abc import Callable, Iterable


class TokensWith:
    """A container of token ids. A token is looked at when it is asked for: a whole vocabulary takes half a second.

    Args:
        token_bytes: the bytes that a token stands for.
        marks: the strings.
    """

    def __init__(self, token_bytes: Callable[[int], bytes], marks: Iterable[str]) -> None:
        self._token_bytes = token_bytes
        self._marks = [mark.encode() for mark in marks]

    def __contains__(self, token: object) -> bool:
        text = self._token_bytes(token) if isinstance(token, int) else b""
        return any(mark in text for mark in self._marks)
