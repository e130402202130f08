"""The figures from which on a measure is worth a look, and why.

They hold for a window (250 words or 400 characters), whatever the length of the text. Those for characters are set so that
99 of 100 windows of 75 published Chinese essays keep to them (495 windows), those for words in the same way on a smaller
sample of English prose and law. What they find is a hint, not a verdict: verse and lists repeat by right.
"""

from dataclasses import dataclass

from longra.text.units import UnitName


@dataclass(frozen=True)
class Limit:
    """A measure of a window, the figure for each unit, and what it means to be beyond it.

    Attributes:
        words, characters: the figure, for texts that are counted so.
        above: whether more is worse.
        reason: one sentence for the user.
    """

    words: float
    characters: float
    above: bool
    reason: str

    def of(self, unit: UnitName) -> float:
        """The figure for texts that are counted in a unit."""
        return self.words if unit == "words" else self.characters


LIMITS = {
    "rep_2": Limit(0.25, 0.28, True, "Pairs of words come again and again, as in a text that turns in a circle."),
    "rep_3": Limit(0.12, 0.16, True, "Runs of three words come again, more than names and set phrases explain."),
    "rep_4": Limit(0.08, 0.10, True, "Runs of four words come again, which writers seldom do within a page."),
    "distinct_1": Limit(
        0.40, 0.30, False, "Few different words are used, as by a model that runs out of things to say."
    ),
    "distinct_2": Limit(0.75, 0.70, False, "Few different pairs of words are used: the page says little that is new."),
    "compression_ratio": Limit(2.6, 1.9, True, "The page can be packed small, so much of it is repeated."),
    "self_bleu": Limit(45.0, 45.0, True, "The page says what other pages of the text say, in the same words."),
    "repeated": Limit(0.0, 0.0, True, "A passage that was there before comes again; `longra tidy` would remove it."),
    "unfinished": Limit(0.0, 0.0, True, "A sentence breaks off before its end."),
    "foreign_script": Limit(
        0.30, 0.30, True, "Much is in another script than the text: the language may have changed."
    ),
}
"""Measure -> its limit, in the order in which they are shown."""

LEAST_LENGTH_SCORE = 80.0
LENGTH_REASON = "The text is far from the length that was asked for: S_l falls below 80 at 1.6 times it or 0.71 of it."
