"""English words to hide and to count."""

from dataclasses import dataclass

from longra.errors import UsageError


@dataclass(frozen=True)
class Words:
    """Words in a fixed order, without repeats.

    Attributes:
        plain: nouns, adjectives and verbs, to be counted.
        adjectives, nouns: for keys such as "hungry-violin".
    """

    plain: tuple[str, ...]
    adjectives: tuple[str, ...]
    nouns: tuple[str, ...]


def load_words() -> Words:
    """The words of the package `wonderwords`, which are RULER's too.

    Raises:
        UsageError: the package is not installed.
    """
    try:
        from wonderwords import RandomWord  # type: ignore[import-untyped]
    except ImportError:
        raise UsageError("the words to hide are not installed; run: pip install 'longra[evaluate]'") from None
    adjectives, nouns, verbs = (
        tuple(sorted(set(RandomWord().filter(include_categories=[kind])))) for kind in ("adjective", "noun", "verb")
    )
    return Words(tuple(sorted({*adjectives, *nouns, *verbs})), adjectives, nouns)
