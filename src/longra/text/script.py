"""Which scripts a text is written in, and whether a model's languages use them."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

# Blocks of the Unicode standard that hold the letters of each script; marks within a block count with its letters.
_BLOCKS: dict[str, tuple[tuple[int, int], ...]] = {
    "Latin": (
        (0x41, 0x5A),
        (0x61, 0x7A),
        (0xAA, 0xAA),
        (0xBA, 0xBA),
        (0xC0, 0xD6),
        (0xD8, 0xF6),
        (0xF8, 0x24F),
        (0x1E00, 0x1EFF),
    ),
    "Greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "Cyrillic": ((0x400, 0x52F),),
    "Armenian": ((0x530, 0x58F),),
    "Hebrew": ((0x590, 0x5FF),),
    "Arabic": ((0x600, 0x6FF), (0x750, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC)),
    "Devanagari": ((0x900, 0x97F),),
    "Bengali": ((0x980, 0x9FF),),
    "Tamil": ((0xB80, 0xBFF),),
    "Telugu": ((0xC00, 0xC7F),),
    "Thai": ((0xE00, 0xE7F),),
    "Georgian": ((0x10A0, 0x10FF),),
    "Hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7A3)),
    "Hiragana": ((0x3041, 0x309F),),
    "Katakana": ((0x30A1, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F)),
    "Han": ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
}
_RANGES = sorted((first, last, script) for script, blocks in _BLOCKS.items() for first, last in blocks)
_FIRSTS = [first for first, _, _ in _RANGES]

# ISO 639-1 codes of languages that are not written in Latin letters, and their scripts.
_LANGUAGES: dict[str, tuple[str, ...]] = {
    "zh": ("Han",),
    "yue": ("Han",),
    "ja": ("Han", "Hiragana", "Katakana"),
    "ko": ("Hangul", "Han"),
    "ru": ("Cyrillic",),
    "uk": ("Cyrillic",),
    "be": ("Cyrillic",),
    "bg": ("Cyrillic",),
    "mk": ("Cyrillic",),
    "sr": ("Cyrillic", "Latin"),
    "kk": ("Cyrillic",),
    "mn": ("Cyrillic",),
    "el": ("Greek",),
    "hy": ("Armenian",),
    "ka": ("Georgian",),
    "he": ("Hebrew",),
    "ar": ("Arabic",),
    "fa": ("Arabic",),
    "ur": ("Arabic",),
    "hi": ("Devanagari",),
    "mr": ("Devanagari",),
    "ne": ("Devanagari",),
    "bn": ("Bengali",),
    "ta": ("Tamil",),
    "te": ("Telugu",),
    "th": ("Thai",),
}
_LATIN_CODES = (
    "af az bs ca cs cy da de en eo es et eu fi fr ga gl ha hr hu id ig is it la lt lv ms mt nb nl nn no pl pt ro sk sl "
    "so sq sv sw tl tr vi xh yo zu"
)
_LATIN = frozenset(_LATIN_CODES.split())

SAMPLE = 20_000
"""Characters looked at; a longer text is written in the same scripts."""
SHARE = 0.25
"""Of the letters; a foreign name or a formula in a text is less."""


def scripts_of(text: str) -> Counter[str]:
    """How many letters of each script are among the first SAMPLE characters of a text."""
    return Counter(script for character in text[:SAMPLE] if (script := _script(ord(character))) is not None)


def unsupported_script(prompt: str, languages: Iterable[str]) -> str | None:
    """The script of a prompt that no language of a model is written in, or None.

    Args:
        prompt: the text that the model is to go on with.
        languages: ISO 639 codes ("en", "zh", "pt-BR"). If there are none, or one is not known here, nothing is said,
            for the model may well read the script.

    Returns:
        the most frequent such script ("Han", "Cyrillic", ...) if it makes a quarter of the letters or more.
    """
    codes = {code.replace("_", "-").split("-")[0].lower() for code in languages}
    if not codes or not codes <= _LATIN | _LANGUAGES.keys():
        return None
    read = {"Latin"} | {script for code in codes for script in _LANGUAGES.get(code, ())}
    found = scripts_of(prompt)
    letters = found.total()
    for script, count in found.most_common():
        if script not in read and count >= SHARE * letters:
            return script
    return None


def languages_of(script: str) -> tuple[str, ...]:
    """ISO 639 codes of languages written in a script, for the choice of a model that reads it."""
    return tuple(code for code, scripts in _LANGUAGES.items() if script in scripts)


def scripts_of_language(code: str) -> tuple[str, ...]:
    """The scripts that a language is written in ("zh-TW" -> Han); none if it is not known here."""
    short = code.replace("_", "-").split("-")[0].lower()
    return ("Latin",) if short in _LATIN else _LANGUAGES.get(short, ())


def _script(code: int) -> str | None:
    place = bisect_right(_FIRSTS, code) - 1
    if place < 0:
        return None
    _, last, script = _RANGES[place]
    return script if code <= last else None
