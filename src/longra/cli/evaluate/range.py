"""`longra evaluate range`: how far a model's attention reaches."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.shared import console, options
from longra.cli.shared.remaining import Remaining
from longra.cli.shared.saving import save_text
from longra.errors import UsageError

if TYPE_CHECKING:
    from longra.evaluate.range.cells import Finding

COMMAND_OPTIONS = {
    "epilog": "Example:  longra evaluate range -m qwen2.5-coder-0.5b-instruct --lengths 1000,8000 --tasks needle "
    "--plot range.svg"
}

_SHADES = " ░▒▓█"


def range(
    *,
    running: options.Running,
    lengths: Annotated[str, typer.Option(metavar="N,N", help="Tokens of text, question and answer together.")] = (
        "1000,2000,4000,8000"
    ),
    tasks: Annotated[
        str, typer.Option(metavar="NAMES", help="Of needle, multikey, variables, words.")
    ] = "needle,multikey,variables,words",
    depths: Annotated[int, typer.Option(metavar="N", min=1, help="Places of a needle, from beginning to end.")] = 5,
    samples: Annotated[int, typer.Option(metavar="N", min=1, help="Questions for each cell.")] = 1,
    seed: Annotated[int, typer.Option(help="What is hidden, and where.")] = 0,
    chat: Annotated[
        bool | None, typer.Option("--chat/--raw", help="Ask / continue; asks if the model has a chat template.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="OUT.jsonl", help="Keep each answer; the same command goes on from there.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="OUT.svg", dir_okay=False, help="Draw the grid.")] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="OUT.html", dir_okay=False, help="Write a page: the grid, and what was missed."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Measure how far a model's attention reaches: what it finds in long texts, by length and depth.

    Tasks are RULER's: a number said once in noise, one of four numbers by its key, variables that are assigned from one
    another, and the most common words of a list. Ctrl-C ends it; with --output the same command goes on.
    """
    from longra.evaluate.journal import Journal, way_on
    from longra.evaluate.range.cells import from_row, grid
    from longra.evaluate.range.run import ask, check_room, settings
    from longra.evaluate.range.words import load_words

    names, sizes = _tasks(tasks), _lengths(lengths)
    _check_folders(plot, html)
    words = load_words()
    model, _ = running.load(cache_dir="none")
    in_chat = model.template is not None if chat is None else chat
    cells = grid(names, sizes, depths, samples, seed)
    check_room(model, cells, words, in_chat)
    run = settings(model, in_chat, seed)
    interrupted = False
    with Journal(output, run) as journal:
        found = {finding.cell: finding for finding in map(from_row, journal.rows)}
        left = [cell for cell in cells if cell not in found]
        if len(left) < len(cells):
            console.note(f"{output}: {len(cells) - len(left):,} of {len(cells):,} questions are answered already")
        try:
            with Remaining(sum(cell.length for cell in left)) as remaining:
                for finding in ask(model, left, words, in_chat):
                    journal.add(finding.as_row())
                    found[finding.cell] = finding
                    remaining.advance(finding.cell.length)
        except KeyboardInterrupt:
            interrupted = True
    findings = [found[cell] for cell in cells if cell in found]
    if findings:
        _show(findings, run, as_json)
        _save(findings, run, plot, html)
    if interrupted:
        console.note(f"interrupted: {len(findings):,} of {len(cells):,} questions; {way_on(output)}")
        raise KeyboardInterrupt


def _tasks(text: str) -> dict[str, bool]:
    """Names of tasks, and whether they have a depth."""
    from longra.evaluate.range.tasks import TASKS

    names = [word.strip() for word in text.split(",")]
    for name in names:
        if name not in TASKS:
            raise UsageError(f"there is no task {name!r}; choose from {', '.join(TASKS)}")
    return {name: TASKS[name].has_depth for name in names}


def _lengths(text: str) -> list[int]:
    try:
        lengths = sorted({int(word) for word in text.split(",")})
    except ValueError:
        raise UsageError(f"--lengths is {text!r}; give whole numbers such as 1000,8000") from None
    if lengths[0] < 1:
        raise UsageError(f"--lengths has {lengths[0]}; give numbers above 0")
    return lengths


def _check_folders(*files: Path | None) -> None:
    for file in files:
        if file is not None and not file.resolve().parent.is_dir():
            raise UsageError(f"{file}: there is no folder {file.parent}; make it first")


def _show(findings: "Sequence[Finding]", run: dict[str, Any], as_json: bool) -> None:
    from longra.evaluate.range.cells import mean, rows

    if as_json:
        cells = [
            {"task": task, "length": length, "depth": depth, "score": mean(findings, task, length, depth)}
            for task, depth, length in rows(findings)
        ]
        console.result_json({"run": run, "cells": cells, "findings": [finding.as_row() for finding in findings]})
        return
    from longra.evaluate.range.tasks import TASKS

    for name in (name for name in TASKS if any(finding.cell.task == name for finding in findings)):
        console.result(f"{name}: {TASKS[name].title}, percent found\n{_table(findings, name)}\n")
    console.result(f"{run['model']}, {run['form']} prompt, seed {run['seed']}, greedy; after RULER (Hsieh et al. 2024)")


def _table(findings: "Sequence[Finding]", task: str) -> str:
    """Depths down, lengths across; each figure with a shade, so that the whole is seen at a glance."""
    from longra.evaluate.range.cells import depths_of, mean

    lengths = sorted({finding.cell.length for finding in findings})
    lines = [
        (
            "anywhere" if depth is None else f"{depth:.0%} deep",
            *(_shaded(mean(findings, task, n, depth)) for n in lengths),
        )
        for depth in depths_of(findings, task)
    ]
    if len(lines) > 1:
        lines.append(("mean", *(_shaded(mean(findings, task, n)) for n in lengths)))
    right = frozenset(number + 1 for number, _ in enumerate(lengths))
    return console.table(("TOKENS", *(f"{length:,}" for length in lengths)), lines, right=right)


def _shaded(value: float | None) -> str:
    if value is None:
        return ""
    shade = _SHADES[round(value * (len(_SHADES) - 1))]
    return f"{100 * value:.0f} {shade * 2}"


def _save(findings: "Sequence[Finding]", run: dict[str, Any], plot: Path | None, html: Path | None) -> None:
    from longra.evaluate.range.page import range_page
    from longra.evaluate.range.picture import picture

    if plot is not None:
        save_text(plot, picture(findings, run["model"]))
        console.note(f"{plot}: written")
    if html is not None:
        save_text(html, range_page(findings, run))
        console.note(f"{html}: written")
