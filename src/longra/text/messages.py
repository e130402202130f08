"""Messages as callers give them, checked and as chat templates read them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from longra.errors import UsageError


def checked_messages(messages: Iterable[Any]) -> list[dict[str, Any]]:
    """Each with a role and a text; a content of several text parts (`{"type": "text", "text": ...}`) becomes one text.

    Messages with other fields that stand for a text, such as `tool_calls`, may leave the content away.

    Raises:
        UsageError: a message lacks its role or content, or has parts that are no text.
    """
    return [_checked(number, message) for number, message in enumerate(messages, 1)]


def _checked(number: int, message: Any) -> dict[str, Any]:
    if not isinstance(message, Mapping):
        raise UsageError(f"message {number} is {message!r}; give a mapping with role and content")
    if not isinstance(message.get("role"), str):
        raise UsageError(f"message {number} has no role; give for example user")
    content = message.get("content")
    if content is None and set(message) - {"role", "content"}:
        return dict(message)
    return {**message, "content": _text(number, content)}


def _text(number: int, content: Any) -> str:
    if isinstance(content, str):
        return content
    if content is None:
        raise UsageError(f"message {number} has no content; give a text")
    parts = content if isinstance(content, Sequence) and not isinstance(content, bytes) else [content]
    texts = [part.get("text") if isinstance(part, Mapping) and part.get("type") == "text" else None for part in parts]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise UsageError(f"the content of message {number} is no text; pictures and other parts cannot be read")
    return "".join(map(str, texts))
