"""What a step asks for (Edit), what the user is told (Change, Note), and what comes out (TidyResult)."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """Replace `before`, which stands at character `start` of the text that the step was given, by `after`."""

    start: int
    before: str
    after: str
    kind: str
    """What was wrong, in a word or two: "trailing space", "repeated paragraph"."""


@dataclass(frozen=True)
class Change:
    """One replacement that was made; an empty `after` is a removal, an empty `before` an insertion."""

    step: str
    kind: str
    line: int
    """Line, counted from 1, in the text as the step found it."""
    offset: int
    """Character, counted from 0, in the text as the step found it."""
    before: str
    after: str


@dataclass(frozen=True)
class Note:
    """Something that a step saw and left as it was."""

    step: str
    line: int
    message: str


@dataclass(frozen=True)
class TidyResult:
    """The tidied text, every change that led to it in the order made, and what was left alone on purpose."""

    text: str
    changes: tuple[Change, ...]
    notes: tuple[Note, ...] = ()


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with non-overlapping edits made; they are in ascending order.

    Raises:
        ValueError: an edit does not fit the text: a fault in the step that made it.
    """
    pieces: list[str] = []
    done = 0
    for edit in edits:
        if edit.start < done or not text.startswith(edit.before, edit.start):
            raise ValueError(f"edit {edit.kind!r} at {edit.start} does not fit the text (done up to {done})")
        pieces += (text[done : edit.start], edit.after)
        done = edit.start + len(edit.before)
    pieces.append(text[done:])
    return "".join(pieces)


def to_changes(step: str, text: str, edits: Iterable[Edit]) -> list[Change]:
    """Edits of one step as changes, with line numbers (counted once through the text, so in linear time)."""
    changes: list[Change] = []
    line, counted = 1, 0
    for edit in edits:
        line += text.count("\n", counted, edit.start)
        counted = edit.start
        changes.append(Change(step, edit.kind, line, edit.start, edit.before, edit.after))
    return changes
