"""`longra tune`: try several sets of generation parameters on a prompt, and keep one."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.shared import console, options
from longra.cli.shared.prompt import read_prompt
from longra.cli.shared.remaining import Remaining
from longra.cli.shared.saving import check_folders, save_text
from longra.cli.tuned import fixed, show
from longra.errors import UsageError

if TYPE_CHECKING:
    from longra.evaluate.tune.figures import Measured
    from longra.evaluate.tune.grid import Cell
    from longra.evaluate.tune.page import About
    from longra.evaluate.tune.run import Finished, Wanted
    from longra.model import Model
    from longra.sampling import GenerationConfig

COMMAND_OPTIONS = {
    "epilog": 'Examples:  longra tune "Tell me a story." --html tuned.html   |   '
    'longra tune "..." -t 0.5,1 --min-p 0,0.05,0.1 --seed 1 --save story --choose 2'
}

_TEXTS = 3


def _values(*names: str, usual: str) -> Any:
    return typer.Option(*names, metavar="LIST", help=f"Values to try, with commas between; {usual} unless said.")


def tune(
    *,
    prompt: Annotated[str | None, typer.Argument(metavar="PROMPT", help="What to go on with, or to answer.")] = None,
    file: options.File = None,
    temperature: Annotated[str | None, _values("-t", "--temperature", usual="0.3,0.7,1")] = None,
    top_k: Annotated[str | None, _values("--top-k", usual="40")] = None,
    top_p: Annotated[str | None, _values("--top-p", usual="0.9,1")] = None,
    min_p: Annotated[str | None, _values("--min-p", usual="0")] = None,
    repetition_penalty: Annotated[str | None, _values("--repetition-penalty", usual="1,1.1")] = None,
    max_tokens: Annotated[str | None, _values("-n", "--max-tokens", usual="200")] = None,
    num_sequences: Annotated[int, typer.Option(metavar="N", help="Texts of each set.")] = _TEXTS,
    seed: Annotated[int | None, typer.Option(help="Another seed gives other texts; 0 unless said.")] = None,
    stop: options.Stop = None,
    preset: options.PresetName = None,
    system: options.System = None,
    chat: Annotated[
        bool | None, typer.Option("--chat/--raw", help="Answer / go on; answers if the model has a chat template.")
    ] = None,
    loading: options.Loading,
    output: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jsonl", help="Keep each set; the same command goes on from there, or chooses."),
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="OUT", help="Write a page to compare the texts on.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="OUT", help="Draw diversity against likelihood (SVG).")] = None,
    save: Annotated[str | None, typer.Option(metavar="NAME", help="Keep the chosen set as a preset.")] = None,
    choose: Annotated[int | None, typer.Option(metavar="N", min=1, help="The set to keep.")] = None,
    as_json: options.Json = False,
) -> None:
    """Try several sets of generation parameters on a prompt, side by side, and keep one as a preset.

    Every combination of the values is run; what is not varied comes from --preset or the defaults. Likelihood is not
    quality: figures say where to look, and reading says which is good. Ctrl-C shows what is finished; with --output the
    same command goes on.
    """
    from longra.evaluate.journal import way_on
    from longra.evaluate.tune.figures import measure, suggested
    from longra.evaluate.tune.grid import cells_of
    from longra.evaluate.tune.page import About
    from longra.evaluate.tune.run import Wanted

    lists = options.given(
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        max_tokens=max_tokens,
    )
    base = options.Sampling(preset=preset, seed=seed, stop=stop).config({"seed": 0}, num_sequences=num_sequences)
    cells = cells_of(_axes(lists, base), base)
    _check_choice(save, choose, len(cells), as_json)
    check_folders(output, html, plot)
    text = read_prompt(prompt, file)
    model, _ = loading.load()
    finished = _grown(model, Wanted(text, chat, system), base, cells, output)
    complete = len(finished) == len(cells)
    measured = [measure(cell) for cell in finished]
    about = About(text, model.name, base.seed or 0, fixed(cells, base))
    if measured:
        best = suggested(measured)
        show(measured, best, about, complete, as_json)
        _write(html, plot, measured, best, about)
    if not complete:
        console.note(f"interrupted: {len(measured)} of {len(cells)} sets are finished; {way_on(output)}")
        raise KeyboardInterrupt
    if choose is None and _can_ask(as_json):
        choose = _asked_number(len(cells))
    if choose is not None:
        _keep(save or _asked_name(), cells[choose - 1], about)


def _grown(
    model: "Model", wanted: "Wanted", base: "GenerationConfig", cells: "list[Cell]", output: Path | None
) -> "list[Finished]":
    """The sets with their texts, in order: those in --output, and the others; on Ctrl-C those that are finished."""
    from longra.evaluate.journal import Journal
    from longra.evaluate.tune.run import known, run, settings, work

    with Journal(output, settings(model, wanted, base, list(cells[0].values))) as journal:
        found = {finished.cell.number: finished for finished in known(journal.rows, cells)}
        if found:
            console.note(f"{output}: {len(found)} of {len(cells)} sets are there already")
        left = [cell for cell in cells if cell.number not in found]
        try:
            with Remaining(work(left)) as remaining:
                for finished in run(model, wanted, left, remaining.advance):
                    journal.add(finished.as_row())
                    found[finished.cell.number] = finished
        except KeyboardInterrupt:
            pass  # what is missing says so
    return [found[number] for number in sorted(found)]


def _axes(lists: dict[str, str], base: "GenerationConfig") -> dict[str, list[float]]:
    """The values to try: those given; else the preset's, where it says otherwise than the defaults; else the usual."""
    from longra.evaluate.tune.grid import DEFAULT_AXES
    from longra.sampling import GenerationConfig

    axes: dict[str, list[float]] = {}
    for field, usual in DEFAULT_AXES.items():
        of_preset = getattr(base, field)
        if field in lists:
            axes[field] = _numbers(field, lists[field])
        else:
            axes[field] = [*usual] if of_preset == getattr(GenerationConfig(), field) else [of_preset]
    return axes


def _numbers(field: str, text: str) -> list[float]:
    from longra.sampling.parameters import PARAMETERS

    number = PARAMETERS[field].number
    assert number is not None
    try:
        return [int(part) if number.whole else float(part) for part in text.split(",")]
    except ValueError:
        option = PARAMETERS[field].option.rpartition(" ")[2]
        raise UsageError(f"{option} is {text!r}; give numbers with commas between them, such as 0.5,1") from None


def _check_choice(save: str | None, choose: int | None, cells: int, as_json: bool) -> None:
    """Say what would spoil the end now rather than after minutes."""
    from longra.sampling.presets import preset_file

    if save is not None:
        preset_file(save)
    if choose is not None and save is None:
        raise UsageError("--choose keeps a set under a name; add --save NAME")
    if choose is not None and choose > cells:
        raise UsageError(f"--choose is {choose}, and there are {cells} sets")
    if save is not None and choose is None and not _can_ask(as_json):
        raise UsageError(f"--save {save} needs the set to keep: add --choose N, from 1 to {cells}")


def _can_ask(as_json: bool) -> bool:
    return not as_json and sys.stdin is not None and console.is_terminal(sys.stdin) and console.is_terminal(sys.stdout)


def _asked_number(cells: int) -> int | None:
    """The set that the user wants to keep; None for none."""
    while (word := _answer(f"Keep a set as a preset? Its number (1 to {cells}), or Enter for none: ")) != "":
        if word.isdecimal() and 1 <= int(word) <= cells:
            return int(word)
    return None


def _asked_name() -> str:
    from longra.sampling.presets import preset_file

    while True:
        name = _answer("Its name: ")
        try:
            preset_file(name)
        except UsageError as error:
            console.error(str(error))
        else:
            return name


def _answer(question: str) -> str:
    """What the user types; the end of input is no answer and ends the command."""
    try:
        return input(question).strip()
    except EOFError:
        raise typer.Exit(0) from None


def _keep(name: str, cell: "Cell", about: "About") -> None:
    from longra.evaluate.tune.grid import preset_of
    from longra.sampling.presets import preset_file

    file = preset_file(name)
    replaced = ", in place of the one that was there" if file.exists() else ""
    file.parent.mkdir(parents=True, exist_ok=True)
    save_text(file, preset_of(name, cell, f'set {cell.number} for "{about.prompt}" with {about.model}').as_yaml())
    console.note(f"set {cell.number} is the preset {name}{replaced} ({file}): longra generate --preset {name}")


def _write(
    html: Path | None, plot: Path | None, cells: "list[Measured]", best: "Measured | None", about: "About"
) -> None:
    from longra.evaluate.tune.page import tune_page
    from longra.evaluate.tune.plot import tune_plot

    if html is not None:
        save_text(html, tune_page(cells, best, about))
        console.note(f"{html}: written")
    if plot is not None:
        save_text(plot, tune_plot(cells, best, about.model))
        console.note(f"{plot}: written")
