"""The grid: what is asked at which length and depth, and what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from longra.errors import LongraError


@dataclass(frozen=True)
class Cell:
    """One question.

    Attributes:
        task: its name.
        length: tokens of the whole, the answer among them.
        depth: where what is asked for lies, from 0 (the beginning) to 1 (the end); None where it lies in many places.
        sample: which of the questions of this task, length and depth, from 0.
        seed: of the whole grid.
    """

    task: str
    length: int
    depth: float | None
    sample: int
    seed: int

    def random(self, purpose: str = "") -> Random:
        """Its own random numbers, the same every time."""
        return Random(f"{self.seed}/{self.task}/{self.length}/{self.depth}/{self.sample}/{purpose}")


@dataclass(frozen=True)
class Finding:
    """What came of a question.

    Attributes:
        cell: the question's place.
        score: share of the expected texts that the answer holds, in any case of letters (RULER's string_match_all).
        expected: texts.
        said: the answer after its beginning; it ends where all that is expected has been said.
        tokens: of the prompt.
        cached: those of them that earlier prompts began with, and that were not read again.
    """

    cell: Cell
    score: float
    expected: tuple[str, ...]
    said: str
    tokens: int
    cached: int

    def as_row(self) -> dict[str, Any]:
        """Keys and values of a file's line; `from_row` reads them."""
        values = asdict(self)
        return {**values.pop("cell"), **values}


def from_row(row: Mapping[str, Any]) -> Finding:
    """A finding of a line.

    Raises:
        LongraError: it is none.
    """
    try:
        cell = Cell(*(row[name] for name in Cell.__dataclass_fields__))
        return Finding(cell, row["score"], tuple(row["expected"]), row["said"], row["tokens"], row["cached"])
    except (KeyError, TypeError):
        raise LongraError(f"a line of the output file is no answer of a grid: {str(row)[:80]}") from None


def grid(tasks: Mapping[str, bool], lengths: Sequence[int], depths: int, samples: int, seed: int) -> list[Cell]:
    """All cells, in an order in which a text begins as the one before it where it can: by length, the deepest first.

    Args:
        tasks: names, and whether what is asked for has a depth.
        depths: how many, evenly from 0 to 1; one is the middle.
    """
    places = [i / (depths - 1) for i in reversed(range(depths))] if depths > 1 else [0.5]
    return [
        Cell(task, length, depth, sample, seed)
        for length in sorted(lengths)
        for task, has_depth in tasks.items()
        for depth in (places if has_depth else (None,))
        for sample in range(samples)
    ]


def mean(findings: Sequence[Finding], task: str, length: int, depth: float | None = None) -> float | None:
    """Mean score of a task at a length, and at a depth unless that is None; None where nothing was found."""
    scores = [
        finding.score
        for finding in findings
        if (finding.cell.task, finding.cell.length) == (task, length) and depth in (None, finding.cell.depth)
    ]
    return sum(scores) / len(scores) if scores else None


def depths_of(findings: Sequence[Finding], task: str) -> list[float | None]:
    """The depths at which a task was asked, from the beginning of the text on."""
    return sorted(
        {finding.cell.depth for finding in findings if finding.cell.task == task}, key=lambda depth: depth or 0.0
    )


def rows(findings: Sequence[Finding]) -> Iterator[tuple[str, float | None, int]]:
    """Each task, depth and length that was asked, once."""
    places = ((finding.cell.task, finding.cell.depth, finding.cell.length) for finding in findings)
    yield from dict.fromkeys(places)
