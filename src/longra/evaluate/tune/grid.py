"""The sets of parameters that are tried: every combination of the values given, each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

from longra.errors import UsageError
from longra.sampling import GenerationConfig
from longra.sampling.presets import Preset

Axes = Mapping[str, Sequence[float]]
"""Field of GenerationConfig -> the values to try."""

DEFAULT_AXES: dict[str, tuple[float, ...]] = {
    "temperature": (0.3, 0.7, 1.0),
    "top_k": (40,),
    "top_p": (0.9, 1.0),
    "min_p": (0.0,),
    "repetition_penalty": (1.0, 1.1),
    "max_tokens": (200,),
}
"""Small enough to be read side by side: twelve cells."""

MOST_CELLS = 64
"""As many texts as grow in one step of the engine."""

_OF_A_RUN = ("seed", "num_sequences", "logprobs")
_WITHOUT_GREEDY = ("temperature", "top_k", "top_p", "min_p")


@dataclass(frozen=True)
class Cell:
    """One set of parameters.

    Attributes:
        number: counted from 1.
        values: field -> its value, of all axes.
        config: the whole configuration.
    """

    number: int
    values: Mapping[str, float]
    config: GenerationConfig


def cells_of(axes: Axes, base: GenerationConfig) -> list[Cell]:
    """All combinations, the last axis fastest. Greedy cells that differ only in how they would draw are one.

    Args:
        base: what the axes do not say.

    Raises:
        UsageError: a value is out of range, or there are too many.
    """
    found: dict[tuple[float, ...], Cell] = {}
    for values in product(*(dict.fromkeys(values) for values in axes.values())):
        chosen: dict[str, Any] = dict(zip(axes, values, strict=True))
        config = replace(base, **chosen)
        key = tuple(0 if config.greedy and name in _WITHOUT_GREEDY else value for name, value in chosen.items())
        found.setdefault(key, Cell(len(found) + 1, chosen, config))
        if len(found) > MOST_CELLS:
            raise UsageError(
                f"the grid has more than {MOST_CELLS} cells; give fewer values to --temperature and the rest"
            )
    return list(found.values())


def varied(cells: Sequence[Cell]) -> list[str]:
    """The axes on which cells differ."""
    return [name for name in cells[0].values if len({cell.values[name] for cell in cells}) > 1]


def preset_of(name: str, cell: Cell, about: str) -> Preset:
    """A cell's parameters under a name: the axes, and what else is not as usual; not the seed."""
    usual = GenerationConfig()
    others = {
        field.name: getattr(cell.config, field.name)
        for field in fields(GenerationConfig)
        if field.name not in (*cell.values, *_OF_A_RUN)
        and getattr(cell.config, field.name) != getattr(usual, field.name)
    }
    return Preset(name, {**cell.values, **others}, " ".join(about.split()), "longra tune")
