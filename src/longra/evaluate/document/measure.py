"""Measures a long text by itself: as a whole, and window by window, so that it shows where it gets worse."""

from collections.abc import Sequence
from dataclasses import dataclass

from longra.errors import LongraError
from longra.evaluate.document.length import length_score
from longra.evaluate.document.limits import LEAST_LENGTH_SCORE, LENGTH_REASON, LIMITS
from longra.evaluate.document.parts import Parts
from longra.evaluate.document.repetition import compression_ratio, distinct, rep
from longra.evaluate.document.scripts import foreign_share, main_scripts, script_of
from longra.evaluate.document.self_bleu import self_bleu
from longra.text.tidy.faults import Fault, repeated_passages, unfinished_sentences
from longra.text.units import UnitName, count


@dataclass(frozen=True)
class Measure:
    """One measure of the text.

    Attributes:
        name: a key of `LIMITS`.
        whole: over the whole text. What counts repetition grows with the length of a text, so only windows have limits.
        curve: of each window, in order.
        limit: of a window.
        above_is_bad: which side of the limit is worth a look.
    """

    name: str
    whole: float
    curve: tuple[float, ...]
    limit: float
    above_is_bad: bool


@dataclass(frozen=True)
class Flag:
    """A measure beyond its limit.

    Attributes:
        windows: which, counted from 1; empty where the text as a whole is meant.
        value: the worst of them.
        reason: what it means, in a sentence.
    """

    measure: str
    value: float
    limit: float
    windows: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Span:
    """A window's place: characters text[start:end], from line `line` (counted from 1) on."""

    start: int
    end: int
    line: int
    units: int


@dataclass(frozen=True)
class Report:
    """All about a text.

    Attributes:
        unit: what lengths are counted in: words, or characters for Chinese and Japanese.
        length: of the whole text, code too.
        target: the length that was asked for.
        length_score: S_l; None without a target.
        code_characters: characters in blocks of code, which no other measure looks at.
    """

    unit: UnitName
    length: int
    target: int | None
    length_score: float | None
    code_characters: int
    sections: int
    windows: tuple[Span, ...]
    measures: tuple[Measure, ...]
    flags: tuple[Flag, ...]


def measure_text(text: str, target: int | None = None) -> Report:
    """Measure a text.

    Args:
        target: the length that was asked for, in words (characters for Chinese and Japanese).

    Raises:
        LongraError: there are no words in it, outside of code.
    """
    parts = Parts(text)
    if not parts.units:
        code = f" outside of {parts.code_characters:,} characters of code" if parts.code_characters else ""
        raise LongraError(f"the text has no words{code}; there is nothing to measure")
    length = count(text)
    score = None if target is None else length_score(target, length)
    measures = tuple(_measures(parts))
    flags = [flag for measure in measures if (flag := _flag(measure)) is not None]
    if score is not None and score < LEAST_LENGTH_SCORE:
        flags.insert(0, Flag("length_score", score, LEAST_LENGTH_SCORE, (), LENGTH_REASON))
    return Report(
        parts.unit,
        length,
        target,
        score,
        parts.code_characters,
        len(parts.sections),
        tuple(_spans(parts)),
        measures,
        tuple(flags),
    )


def _measures(parts: Parts) -> list[Measure]:
    keys = [unit.key for unit in parts.units]
    found: dict[str, tuple[float, list[float]]] = {}
    for order in (2, 3, 4):
        found[f"rep_{order}"] = rep(keys, order), [rep(window.keys, order) for window in parts.windows]
    for order in (1, 2):
        found[f"distinct_{order}"] = distinct(keys, order), [distinct(window.keys, order) for window in parts.windows]
    found["compression_ratio"] = (
        compression_ratio(_joined(keys, parts.unit)),
        [compression_ratio(_joined(window.keys, parts.unit)) for window in parts.windows],
    )
    of_sections = self_bleu(parts.sections)
    found["self_bleu"] = sum(of_sections) / len(of_sections), self_bleu([window.keys for window in parts.windows])
    found["repeated"] = _covered(repeated_passages(parts.document), parts)
    found["unfinished"] = _counted(unfinished_sentences(parts.document), parts)
    found["foreign_script"] = _foreign(parts)
    return [
        Measure(name, whole, tuple(curve), LIMITS[name].of(parts.unit), LIMITS[name].above)
        for name, (whole, curve) in found.items()
    ]


def _joined(keys: Sequence[str], unit: UnitName) -> str:
    """The words without marks and line ends, which are not what is measured."""
    return (" " if unit == "words" else "").join(keys)


def _covered(faults: list[Fault], parts: Parts) -> tuple[float, list[float]]:
    """The share of units within faults."""

    def share(units: Sequence[object]) -> float:
        return sum(unit in inside for unit in units) / len(units)

    inside = {unit for fault in faults for unit in parts.units if unit.start >= fault.start and unit.end <= fault.end}
    return share(parts.units), [share(window.units) for window in parts.windows]


def _counted(faults: list[Fault], parts: Parts) -> tuple[float, list[float]]:
    """How many faults there are; each belongs to the last window that begins before its end."""
    counts = [0.0] * len(parts.windows)
    for fault in faults:
        counts[max((i for i, window in enumerate(parts.windows) if window.start < fault.end), default=0)] += 1
    return float(len(faults)), counts


def _foreign(parts: Parts) -> tuple[float, list[float]]:
    scripts = [script_of(unit) for unit in parts.units]
    main = main_scripts(scripts)
    curve = [foreign_share(scripts[window.first : window.first + len(window.units)], main) for window in parts.windows]
    return foreign_share(scripts, main), curve


def _flag(measure: Measure) -> Flag | None:
    beyond = {
        number: value
        for number, value in enumerate(measure.curve, 1)
        if (value > measure.limit if measure.above_is_bad else value < measure.limit)
    }
    if not beyond:
        return None
    worst = max(beyond.values()) if measure.above_is_bad else min(beyond.values())
    return Flag(measure.name, worst, measure.limit, tuple(beyond), LIMITS[measure.name].reason)


def _spans(parts: Parts) -> list[Span]:
    return [
        Span(window.start, window.end, parts.text.count("\n", 0, window.start) + 1, len(window.units))
        for window in parts.windows
    ]
