"""What is asked of whom: the tasks of a study, each rater's order of them, and which side a system is on."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from typing import Literal

from longra.errors import UsageError
from longra.evaluate.human.items import Item

Mode = Literal["pairwise", "rating"]

Answer = str | dict[str, int]
"""pairwise: one of `CHOICES`; rating: criterion -> 1 (worst) to 5 (best)."""

CHOICES = ("left", "right", "tie", "both_bad")
WORST, BEST = 1, 5
CRITERIA = ("fluency", "coherence", "relevance")
"""Unless others are named."""


@dataclass(frozen=True)
class Study:
    """How outputs are judged.

    Attributes:
        criteria: of a rating; none for pairs.
        seed: of order and sides.
    """

    mode: Mode
    systems: tuple[str, ...]
    criteria: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class Task:
    """One question: which of two outputs is better, or how good one is.

    Attributes:
        number: stays the same when items are added.
        pair: counts the items of each pair of systems.
    """

    number: int
    item: Item
    systems: tuple[str, ...]
    pair: int


def tasks(study: Study, items: Sequence[Item]) -> tuple[Task, ...]:
    """All questions: each item with each pair of systems, or with each system."""
    asked = list(combinations(study.systems, 2 if study.mode == "pairwise" else 1))
    return tuple(
        Task(position * len(asked) + which, item, systems, position)
        for position, item in enumerate(items)
        for which, systems in enumerate(asked)
    )


def in_order(study: Study, everything: Sequence[Task], rater: str) -> list[Task]:
    """The tasks in the order that this rater gets them."""
    return sorted(everything, key=lambda task: _draw(study.seed, rater, "order", task.number))


def sides(study: Study, task: Task, rater: str) -> tuple[str, ...]:
    """The systems of a task from left to right, as this rater sees them.

    Items go two by two: one coin decides both, the other way round for the second, so that each system of a pair is as
    often on the left as on the right. A rater meets them in another order.
    """
    coin = _draw(study.seed, rater, "sides", task.pair // 2, *task.systems) + task.pair
    return task.systems if coin % 2 == 0 else task.systems[::-1]


def check_answer(study: Study, answer: object) -> Answer:
    """An answer that came from outside.

    Raises:
        UsageError: it is none of the study's.
    """
    if study.mode == "pairwise":
        if isinstance(answer, str) and answer in CHOICES:
            return answer
        raise UsageError(f"the answer must be one of {', '.join(CHOICES)}")
    if not isinstance(answer, dict) or set(answer) != set(study.criteria):
        raise UsageError(f"the answer must rate {', '.join(study.criteria)}")
    if not all(type(score) is int and WORST <= score <= BEST for score in answer.values()):
        raise UsageError(f"ratings are whole numbers from {WORST} to {BEST}")
    return {name: int(answer[name]) for name in study.criteria}


def _draw(seed: int, *what: object) -> int:
    """A number that depends on all this, and looks random."""
    text = "\0".join(map(str, (seed, *what)))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")
