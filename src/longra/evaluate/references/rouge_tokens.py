"""The tokens that ROUGE counts.

`ascii` is what the original script and rouge-score do: what is not a-z or 0-9 separates tokens, so a text in Russian or
Chinese has none, and é splits a word. The others are for such texts.
"""

import re
from collections.abc import Callable
from importlib.metadata import version
from typing import Literal, get_args

import regex

from longra.text.units import IDEOGRAPHS, LETTERS

RougeTokenizer = Literal["ascii", "unicode", "char", "word"]
NAMES: tuple[RougeTokenizer, ...] = get_args(RougeTokenizer)

Tokens = Callable[[str], list[str]]

_ASCII = re.compile(r"[a-z0-9]+")
_UNICODE = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_CHARACTER = regex.compile(rf"(?V1){IDEOGRAPHS}|{LETTERS}+")


def tokenizer(name: RougeTokenizer) -> Tokens:
    """What cuts a text into lower-case tokens, without punctuation.

    `unicode`: runs of letters and digits of any script; `char`: each ideograph or kana, and such runs; `word`: the words
    of Chinese as jieba's dictionary has them (rjieba), and such runs.
    """
    return {"ascii": _ascii, "unicode": _unicode, "char": _characters, "word": _words}[name]


def signature(name: RougeTokenizer) -> str:
    """The tokenizer's name, with the version of the dictionary where there is one."""
    return f"word-rjieba-{version('rjieba')}" if name == "word" else name


def _ascii(text: str) -> list[str]:
    return _ASCII.findall(text.lower())


def _unicode(text: str) -> list[str]:
    return _UNICODE.findall(text.lower())


def _characters(text: str) -> list[str]:
    return _CHARACTER.findall(text.lower())


def _words(text: str) -> list[str]:
    import rjieba

    return [token for word in rjieba.cut(text.lower()) for token in _UNICODE.findall(word)]
