"""What `longra tune` shows: a table of figures, the texts side by side, and how the suggestion was found."""

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from longra.cli.shared import console
from longra.cli.shared.streaming import ended

if TYPE_CHECKING:
    from longra.evaluate.tune.figures import Measured
    from longra.evaluate.tune.grid import Cell
    from longra.evaluate.tune.page import About
    from longra.sampling import GenerationConfig

_LEAST_COLUMNS = 40
"""Of a text, to be read with comfort."""


def show(cells: "Sequence[Measured]", best: "Measured | None", about: "About", complete: bool, as_json: bool) -> None:
    """Print it, as one JSON object or for people."""
    from longra.evaluate.tune.figures import CAUTION, rule

    if as_json:
        console.result_json(_as_json(cells, best, about, complete))
        return
    if console.is_terminal(sys.stdout):
        _show_side_by_side(cells)
    else:
        for cell in cells:
            console.write(f"--- {cell.number}: {_settings(cell.finished.cell)} ---\n{ended(cell.texts[0])}\n")
    console.result(_table(cells, best))
    texts = len(cells[0].texts)
    if any(cell.figures.beyond for cell in cells):
        console.note("! is beyond a limit in one of the set's texts")
    console.note(
        f"\nfigures are means over {texts} texts of each set; the first is shown"
        if texts > 1
        else "\none text of each set"
    )
    console.note(f"all: {about.fixed}; {about.model}; seed {about.seed}")
    unit = cells[0].figures.unit
    console.note(f"* {'is' if best else 'would be'} {rule(unit)}{'' if best else '; no set does'}")
    console.note(CAUTION)


def fixed(cells: "Sequence[Cell]", base: "GenerationConfig") -> str:
    """What all sets share, in words."""
    from longra.evaluate.tune.grid import preset_of, varied

    values = preset_of("", cells[0], "").values
    same = [f"{_option(name)} {_value(value)}" for name, value in values.items() if name not in varied(cells)]
    return ", ".join([*same, f"{base.num_sequences} text{'s' if base.num_sequences > 1 else ''} each"])


def _table(cells: "Sequence[Measured]", best: "Measured | None") -> str:
    from longra.evaluate.tune.figures import REPETITION
    from longra.evaluate.tune.grid import varied

    axes = varied([cell.finished.cell for cell in cells])
    rows = []
    for cell in cells:
        figures = cell.figures
        rows.append(
            (
                f"{'*' if cell is best else ' '} {cell.number}",
                *(f"{cell.finished.cell.values[axis]:g}" for axis in axes),
                f"{figures.length:.0f}",
                *(_figure(figures.repetition.get(name), name in figures.beyond) for name in REPETITION),
                f"{figures.mean_logprob:.2f}",
                f"{figures.perplexity:.2f}",
            )
        )
    unit = cells[0].figures.unit.upper()
    names = (*map(_option, axes), unit, *map(_option, REPETITION), "logprob", "perplexity")
    header = ("  SET", *(name.upper().replace("COMPRESSION-RATIO", "COMPRESSION") for name in names))
    return console.table(header, rows, right=frozenset(range(len(header))))


def _figure(value: float | None, beyond: bool) -> str:
    return "-" if value is None else f"{value:.3f}{'!' if beyond else ' '}"


def _settings(cell: "Cell") -> str:
    return ", ".join(f"{_option(name)} {value:g}" for name, value in cell.values.items())


def _show_side_by_side(cells: "Sequence[Measured]") -> None:
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    width = shutil.get_terminal_size().columns
    across = max(1, min(len(cells), width // _LEAST_COLUMNS))
    grid = Table.grid(expand=True)
    for _ in range(across):
        grid.add_column(ratio=1, overflow="fold")  # the default would cut a line of Chinese short
    panels = []
    for cell in cells:
        text = Text(f"{_short(cell.finished.cell, cells)}\n\n", style="dim", overflow="fold")
        text.append(cell.texts[0].strip(), style="not dim")
        panels.append(Panel(text, title=str(cell.number), title_align="left"))
    for start in range(0, len(panels), across):
        grid.add_row(*panels[start : start + across])
    Console(file=sys.stdout, width=width, highlight=False).print(grid)


def _short(cell: "Cell", cells: "Sequence[Measured]") -> str:
    """The settings in which a cell differs from others."""
    from longra.evaluate.tune.grid import varied

    axes = varied([other.finished.cell for other in cells])
    return ", ".join(f"{_option(axis)} {cell.values[axis]:g}" for axis in axes)


def _option(field: str) -> str:
    return field.replace("_", "-")


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _as_json(cells: "Sequence[Measured]", best: "Measured | None", about: "About", complete: bool) -> dict[str, Any]:
    from longra.evaluate.tune.figures import rule

    return {
        "prompt": about.prompt,
        "model": about.model,
        "seed": about.seed,
        "complete": complete,
        "suggested": None if best is None else best.number,
        "rule": rule(cells[0].figures.unit),
        "sets": [
            {
                "number": cell.number,
                "parameters": dict(cell.finished.cell.values),
                "unit": cell.figures.unit,
                "length": cell.figures.length,
                **cell.figures.repetition,
                "mean_logprob": cell.figures.mean_logprob,
                "perplexity": cell.figures.perplexity,
                "beyond": list(cell.figures.beyond),
                "texts": [{"text": text.text, "finish_reason": text.finish_reason} for text in cell.finished.texts],
            }
            for cell in cells
        ],
    }
