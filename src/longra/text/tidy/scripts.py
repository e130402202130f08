"""Which characters are Chinese, Japanese or Korean, which are emoji, and how much a character says."""

import re
from functools import lru_cache

CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
"""Ideographs, kana and hangul; not the punctuation."""

CJK_OR_WIDE = re.compile(
    r"[\u3001-\u301f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
"""The same with their punctuation and the full-width forms."""

EMOJI = re.compile(r"[\u2600-\u27bf\U0001f000-\U0001faff\ufe0f\u200d]")


@lru_cache(maxsize=8192)
def weight(character: str) -> int:
    """About how much a character says, in Latin letters: an ideograph 2, a letter or an emoji 1, the rest 0."""
    if character.isalpha():
        return 2 if CJK.match(character) else 1
    return 1 if character > "\U0001f000" and EMOJI.match(character) else 0
