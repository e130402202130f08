"""Which script a text is in, and how much of it is in others."""

from collections import Counter
from collections.abc import Sequence

from longra.text.script import scripts_of
from longra.text.units import Unit


def script_of(unit: Unit) -> str | None:
    """The script of a word or an ideograph; None for a number."""
    found = scripts_of(unit.key)
    return found.most_common(1)[0][0] if found else None


def main_scripts(scripts: Sequence[str | None]) -> frozenset[str]:
    """The script of most units; for Japanese all three of its scripts."""
    counts = Counter(script for script in scripts if script is not None)
    kana = counts["Hiragana"] + counts["Katakana"]
    if kana and kana >= 0.1 * counts.total() and kana + counts["Han"] > counts.total() / 2:
        return frozenset({"Han", "Hiragana", "Katakana"})
    return frozenset(name for name, _ in counts.most_common(1))


def foreign_share(scripts: Sequence[str | None], main: frozenset[str]) -> float:
    """The share of units that are in another script than the text, 0 to 1."""
    return sum(script is not None and script not in main for script in scripts) / len(scripts) if scripts else 0.0
