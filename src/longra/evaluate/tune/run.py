"""Runs cells side by side in the engine."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from longra.evaluate.conditions import conditions
from longra.evaluate.together import AT_ONCE, Generate, together
from longra.evaluate.tune.grid import Cell

if TYPE_CHECKING:
    from longra.generation.result import Continuation
    from longra.model import Model
    from longra.sampling import GenerationConfig

_NOT_OF_TEXT = ("speculation", "draft_text", "logprobs")
"""Fields of a configuration that do not change a text."""


@dataclass(frozen=True)
class Text:
    """One text of a cell.

    Attributes:
        finish_reason: "stop" or "length".
        tokens: how many it has.
        logprob: the sum of their natural logarithms of probability under the model, before any change.
    """

    text: str
    finish_reason: str
    tokens: int
    logprob: float


@dataclass(frozen=True)
class Finished:
    """A cell, and what it has written."""

    cell: Cell
    texts: tuple[Text, ...]

    def as_row(self) -> dict[str, Any]:
        """For a journal."""
        return {"parameters": dict(self.cell.values), "texts": [asdict(text) for text in self.texts]}


@dataclass(frozen=True)
class Wanted:
    """What every cell is asked: see `Model.generate`."""

    prompt: str
    chat: bool | None = None
    system: str | None = None


def work(cells: Sequence[Cell]) -> int:
    """Tokens to generate at most."""
    return sum(cell.config.max_tokens * cell.config.num_sequences for cell in cells)


def settings(model: "Model", wanted: Wanted, base: "GenerationConfig", axes: Sequence[str]) -> dict[str, Any]:
    """All that texts depend on besides the values of their cell, to be kept beside them."""
    same = {
        name: getattr(base, name) for name in base.__dataclass_fields__ if name not in axes and name not in _NOT_OF_TEXT
    }
    return {**conditions(model), **asdict(wanted), **same}


def known(rows: Sequence[Mapping[str, Any]], cells: Sequence[Cell]) -> list[Finished]:
    """The cells that rows of a journal hold."""
    found = {tuple(row["parameters"].items()): row["texts"] for row in rows}
    return [
        Finished(cell, tuple(Text(**text) for text in found[key]))
        for cell in cells
        if (key := tuple(cell.values.items())) in found
    ]


def run(
    model: "Model", wanted: Wanted, cells: Sequence[Cell], advance: Callable[[int], object] = lambda _: None
) -> Iterator[Finished]:
    """Generate the texts of cells, several cells at once, and give each cell as soon as its texts have ended.

    Each text is the one that its parameters and seed give alone. See `together` for leaving early.

    Args:
        advance: told of tokens that are done, or will not be needed.
    """
    ended = told = 0

    def grow(cell: Cell, generate: Generate) -> Finished:
        config = replace(cell.config, logprobs=0)
        result = generate(wanted.prompt, config, chat=wanted.chat, system=wanted.system)
        return Finished(cell, tuple(map(_text, result.sequences)))

    def look(growing: int) -> None:
        nonlocal told
        now = max(told, ended + growing)
        advance(now - told)
        told = now

    if not cells:
        return
    _read(model, wanted, cells[0].config)
    for finished in together(model, cells, grow, max(1, AT_ONCE // cells[0].config.num_sequences), look):
        ended += work([finished.cell])
        yield finished


def _read(model: "Model", wanted: Wanted, config: "GenerationConfig") -> None:
    """Read the prompt, for all cells to find it in the prefix cache."""
    one = replace(config, max_tokens=1, min_tokens=0, num_sequences=1)
    model.generate(wanted.prompt, one, chat=wanted.chat, system=wanted.system)


def _text(sequence: "Continuation") -> Text:
    logs = [choice.logprob for choice in sequence.logprobs or () if choice.logprob is not None]
    return Text(sequence.text, sequence.finish_reason, len(logs), sum(logs))
