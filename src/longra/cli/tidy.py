"""`longra tidy`: clean up a text step by step."""

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.shared import console
from longra.cli.shared.reading import name_of, read_text
from longra.cli.shared.saving import save_text
from longra.cli.shared.tidied import removed
from longra.errors import UsageError
from longra.sizes import counted

if TYPE_CHECKING:
    from longra.text.tidy import Step, TidyResult

COMMAND_OPTIONS = {
    "epilog": "Examples:  longra tidy draft.md --diff   |   longra tidy --steps default,variant:tw -o out.txt draft.txt"
}

_COLOURS = {"+": "32", "-": "31", "@": "36"}


def tidy(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The text; standard input unless given.")] = None,
    steps: Annotated[
        str | None,
        typer.Option(metavar="STEPS", help="Which, in this order: unicode,cjk,variant:tw. `--list` shows them."),
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the steps.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print what changes, line by line, not the text.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: text, changes, notes, steps.")
    ] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="OUT", help="Write the text there.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Write the text back to FILE.")] = False,
    encoding: Annotated[str, typer.Option(help="How the text is stored: utf-8, gb18030, big5, utf-16.")] = "utf-8",
) -> None:
    """Clean up a text step by step, and tell what was changed.

    Code in fences and backticks is left alone, and tidying twice changes nothing more.
    """
    from longra.text.tidy import parse_steps
    from longra.text.tidy import tidy as tidy_text

    if show_list:
        _list_steps(as_json)
        return
    if diff and as_json:
        raise UsageError("--diff and --json both say what to print; give one of them")
    target = _target(file, output, in_place)
    chosen = parse_steps(steps)
    text = read_text(file, encoding)
    result = tidy_text(text, chosen)
    if target is not None:
        save_text(target, result.text)
        console.note(f"{target}: {counted(len(result.changes), 'change')}")
    for note in result.notes:
        console.warning(f"{note.step}, line {note.line}: {note.message}")
    if as_json:
        console.result_json(_as_json(result, chosen))
    elif diff:
        _show_diff(text, result.text, name_of(file))
    elif target is None:
        if gone := removed(result):
            console.note(f"removed: {gone}; --diff shows what")
        console.write(result.text)
        if result.text and not result.text.endswith("\n") and console.is_terminal(sys.stdout):
            console.write("\n")  # so that the prompt has a line of its own


def _target(file: Path | None, output: Path | None, in_place: bool) -> Path | None:
    """Where the text goes; None is standard output."""
    if not in_place:
        return None if output == Path("-") else output
    if file is None or file == Path("-"):
        raise UsageError("--in-place needs a FILE; use -o OUT to write down what came on standard input")
    if output is not None:
        raise UsageError("--in-place and -o both say where to write; give one of them")
    return file


def _list_steps(as_json: bool) -> None:
    from longra.text.tidy.steps import DEFAULT_STEPS, OPTIONS, SUMMARIES

    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "default": name in DEFAULT_STEPS,
            "options": sorted(set(OPTIONS.get(name, {}).values())),
            "summary": summary,
        }
        for name, summary in SUMMARIES.items()
    ]
    if as_json:
        console.result_json({"steps": rows, "default": list(DEFAULT_STEPS)})
        return
    lines = [(row["name"], "default" if row["default"] else "", row["summary"]) for row in rows]
    console.result(console.table(("STEP", "", "WHAT IT DOES"), lines))


def _as_json(result: "TidyResult", steps: "list[Step]") -> dict[str, Any]:
    return {
        "text": result.text,
        "steps": [str(step) for step in steps],
        "changes": [asdict(change) for change in result.changes],
        "notes": [asdict(note) for note in result.notes],
    }


def _show_diff(before: str, after: str, name: str) -> None:
    from longra.text.tidy.diff import unified_diff

    forced = bool(os.environ.get("FORCE_COLOR")) and not os.environ.get("NO_COLOR")
    coloured = forced or console.has_colour(sys.stdout)
    for line in unified_diff(before, after, name):
        colour = _COLOURS.get(line[:1]) if coloured else None
        console.result(f"\x1b[{colour}m{line}\x1b[0m" if colour else line)
