"""What a measure against references gives: a score with its signature, and a comparison of two systems."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

References = Sequence[Sequence[str]]
"""For each segment, the references that it may be measured against; at least one."""

TestKind = Literal["bootstrap", "randomisation"]

SAMPLES = 1000
"""Of a bootstrap."""


@dataclass(frozen=True)
class Interval:
    """95 % of the bootstrap's samples lie in mean - margin to mean + margin (half the distance of their quantiles)."""

    mean: float
    margin: float


@dataclass(frozen=True)
class Score:
    """A measure of all segments together.

    Attributes:
        name: "BLEU", "chrF2++", "ROUGE-L".
        value: BLEU and chrF from 0 to 100, ROUGE (F-measure) from 0 to 1, as their papers and libraries have them.
        interval: of `value`; None without a bootstrap.
        signature: all that the value depends on, to be quoted with it.
        line: the whole in one line, as sacrebleu prints it.
        segments: each segment's own score.
        details: what the value was made from, by name.
    """

    name: str
    value: float
    interval: Interval | None
    signature: str
    line: str
    segments: tuple[float, ...]
    details: dict[str, float | list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """A paired test of a system against a baseline.

    Attributes:
        p_value: how often chance alone makes a difference as large as this one.
        signature: of the test and of the measure.
    """

    name: str
    baseline: float
    system: float
    p_value: float
    signature: str
