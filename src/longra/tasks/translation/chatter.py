"""What a model says around a translation is taken off, where it is certain that it is not part of it."""

import re

_THOUGHT = re.compile(r"\s*<think>.*?</think>\s*", re.DOTALL)
_FENCED = re.compile(r"```\w*\n(?P<inner>.*?)\n?```\s*", re.DOTALL)
_LABEL = re.compile(
    r"(?:(?:Sure|Certainly|Of course|好的|当然)[,!.，！。]?\s+)?"
    r"(?:(?:Here(?:['’]s|\s+is)\s+)?(?:the\s+)?(?:[A-Z]\w+\s+)?translat(?:ion|ed\s+text)"
    r"(?:\s+(?:of|in|into|to|from)\s[^:：\n]{1,80})?|(?:以下是|这是)?[^：:\n，。]{0,12}(?:翻译|译文)[^：:\n，。]{0,6})"
    r"\s*[:：]\s*",
    re.IGNORECASE,
)
_COLON = re.compile(r"[^\n]{1,100}?[:：]")
_QUOTES = {'"': '"', "“": "”", "「": "」", "『": "』", "«": "»", "„": "“", "'": "'", "`": "`"}


def without_chatter(answer: str, source: str) -> str:
    """A model's answer without what it says around the translation.

    What goes: thoughts in <think>, a label before it that names a translation ("Here is the translation:") unless the
    source has a colon there too, a fence or a pair of quotes around the whole unless the source has them.
    """
    text = _THOUGHT.sub("", answer, count=1).strip()
    label = _LABEL.match(text)
    if label and not _COLON.match(source) and label.end() < len(text):
        text = text[label.end() :]
    fenced = _FENCED.fullmatch(text)
    if fenced and "```" not in source:
        text = fenced["inner"].strip()
    closing = _QUOTES.get(text[:1])
    if closing and len(text) > 2 and text.endswith(closing) and source[:1] not in _QUOTES:
        inner = text[1:-1]
        if text[0] not in inner and closing not in inner:
            text = inner.strip()
    return text
