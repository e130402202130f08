"""Putting the questions of a grid to a model, one after the other: each begins with what it shares with the last one."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from longra.errors import UsageError
from longra.evaluate.begun import begun_ids
from longra.evaluate.conditions import conditions
from longra.evaluate.range.cells import Cell, Finding
from longra.evaluate.range.tasks import TASKS, Question
from longra.evaluate.range.words import Words
from longra.sampling import GenerationConfig

if TYPE_CHECKING:
    from longra.model import Model

_LEAST = 5
"""Units of the shortest text, so that all that is hidden lies in different places."""


def ask(model: "Model", cells: Sequence[Cell], words: Words, chat: bool) -> Iterator[Finding]:
    """Ask the questions of cells, greedily.

    Args:
        cells: ones that `check_room` has let pass.
        chat: in the model's chat template.

    Raises:
        UsageError: there are too few words for a length.
    """
    for cell in cells:
        question, ids = fitted(model, cell, words, chat)
        said, cached = _answer(model, ids, question, TASKS[cell.task].new_tokens)
        found = found_in(said, question.answers)
        yield Finding(cell, found / len(question.answers), question.answers, said, len(ids), cached)


def check_room(model: "Model", cells: Sequence[Cell], words: Words, chat: bool) -> None:
    """Make sure that every length has room for its questions and fits into the model, before any is asked.

    Raises:
        UsageError: one has not.
    """
    for cell in {(cell.task, cell.length): cell for cell in cells}.values():
        if cell.length > model.spec.context:
            raise UsageError(
                f"{cell.length:,} tokens are more than {model.name} holds, {model.spec.context:,}; give smaller --lengths, "
                f"or --context {cell.length} to stretch it"
            )
        question = TASKS[cell.task].question(_LEAST, cell, words)
        taken = len(begun_ids(model, question.text, question.beginning, chat)) + TASKS[cell.task].new_tokens
        if taken > cell.length:
            raise UsageError(
                f"{cell.length:,} tokens are too few for {cell.task}, which takes {taken:,}; give larger --lengths, or "
                "other --tasks"
            )


def found_in(said: str, expected: Sequence[str]) -> int:
    """How many of the expected texts were said, in any case of letters."""
    return sum(text.lower() in said.lower() for text in expected)


def fitted(model: "Model", cell: Cell, words: Words, chat: bool) -> tuple[Question, list[int]]:
    """A cell's question about the longest text that leaves room for the answer, and its token ids.

    Args:
        cell: one whose length has been found to have room for its question.

    Raises:
        UsageError: there are too few words for a text of this length.
    """
    task = TASKS[cell.task]
    room = cell.length - task.new_tokens
    most = task.most(words)

    def made(size: int) -> tuple[Question, list[int]]:
        question = task.question(size, cell, words)
        return question, begun_ids(model, question.text, question.beginning, chat)

    best = made(_LEAST)
    low, high = _LEAST, min(room, most or room)  # a unit has a token at least
    while low < high:
        middle = (low + high + 1) // 2
        tried = made(middle)
        if len(tried[1]) <= room:
            low, best = middle, tried
        else:
            high = middle - 1
    if low == most:
        raise UsageError(
            f"there are not enough words for {cell.task} at {cell.length:,} tokens; give smaller --lengths"
        )
    return best


def _answer(model: "Model", ids: list[int], question: Question, new_tokens: int) -> tuple[str, int]:
    """What the model says, until all that is expected has been said; tokens of the prompt that were not read again."""
    stream = model.stream(ids, GenerationConfig(temperature=0, max_tokens=new_tokens, seed=0))
    said = ""
    for piece in stream:
        said += piece
        if found_in(said, question.answers) == len(question.answers):
            stream.close()
            break
    return said, stream.result.cached_tokens


def settings(model: "Model", chat: bool, seed: int) -> dict[str, Any]:
    """All that findings depend on, to be kept beside them."""
    return {**conditions(model), "form": "chat" if chat else "raw", "seed": seed}
