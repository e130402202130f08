"""What is measured of a cell's texts, and which cell is suggested."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from longra.errors import LongraError
from longra.evaluate.document.limits import LIMITS
from longra.evaluate.document.measure import measure_text
from longra.evaluate.document.parts import WINDOW
from longra.evaluate.tune.run import Finished, Text
from longra.text.units import UnitName

REPETITION = ("distinct_1", "distinct_2", "rep_2", "rep_3", "rep_4", "compression_ratio")
"""Measures of `longra evaluate text`, over a whole text, in the order in which they are shown."""

KEPT_TO = (*REPETITION, "repeated", "foreign_script")
"""Measures whose limits a suggested cell keeps to, in every window of every text."""

CAUTION = (
    "Likelihood is not quality: what a model finds likely may be dull or wrong, and a text that repeats itself is very "
    "likely to it. The figures say where to look; reading says which is good."
)


def limits(unit: UnitName) -> str:
    """The limits that a suggested set keeps to, in a line."""
    return ", ".join(
        f"{name.replace('_', '-')} {'≤' if LIMITS[name].above else '≥'} {LIMITS[name].of(unit):g}" for name in KEPT_TO
    )


def rule(unit: UnitName) -> str:
    """How the suggestion is found, in a sentence."""
    return (
        "the likeliest of the sets whose texts all keep within the limits of `longra evaluate text`, in every window of "
        f"{WINDOW[unit]} {unit}: {limits(unit)}"
    )


@dataclass(frozen=True)
class Figures:
    """Means over a cell's texts.

    Attributes:
        unit: what lengths are counted in: words, or characters for Chinese and Japanese.
        length: of a text.
        repetition: measure -> value, of `REPETITION`; empty where a text has no words.
        mean_logprob: of a token: the natural logarithm of its probability under the model at temperature 1, everything
            else off, over all tokens of all texts.
        beyond: measures that are beyond their limit in some window of some text.
    """

    unit: UnitName
    length: float
    repetition: Mapping[str, float]
    mean_logprob: float
    beyond: tuple[str, ...]

    @property
    def perplexity(self) -> float:
        """exp(-mean_logprob): as many tokens were as good as equally likely."""
        return math.exp(-self.mean_logprob)


@dataclass(frozen=True)
class Measured:
    """A cell, its texts and their figures."""

    finished: Finished
    figures: Figures

    @property
    def number(self) -> int:
        """The cell's."""
        return self.finished.cell.number

    @property
    def texts(self) -> list[str]:
        """What it has written."""
        return [text.text for text in self.finished.texts]


def measure(finished: Finished) -> Measured:
    """Measure a cell's texts."""
    logprob = _mean_logprob(finished.texts)
    reports = []
    for text in finished.texts:
        try:
            reports.append(measure_text(text.text))
        except LongraError:  # no words
            return Measured(finished, Figures("words", 0, {}, logprob, ("length",)))
    wholes = [{measure.name: measure.whole for measure in report.measures} for report in reports]
    means = {name: sum(whole[name] for whole in wholes) / len(wholes) for name in REPETITION}
    beyond = {flag.measure for report in reports for flag in report.flags if flag.measure in KEPT_TO}
    length = sum(report.length for report in reports) / len(reports)
    return Measured(finished, Figures(reports[0].unit, length, means, logprob, tuple(sorted(beyond))))


def suggested(cells: Sequence[Measured]) -> Measured | None:
    """The cell of the rule, or None where no cell keeps within the limits."""
    within = [cell for cell in cells if not cell.figures.beyond]
    return max(within, key=lambda cell: (cell.figures.mean_logprob, -cell.number), default=None)


def _mean_logprob(texts: Sequence[Text]) -> float:
    tokens = sum(text.tokens for text in texts)
    return sum(text.logprob for text in texts) / tokens if tokens else 0.0
