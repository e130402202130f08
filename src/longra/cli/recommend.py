"""`longra recommend`: which model to take for a task, on this machine."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from longra.cli.shared import console, options
from longra.errors import UsageError
from longra.sizes import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longra.choose import Advice, Choice, Machine, Wish
    from longra.library.catalogue import Entry, Figure, Reference

COMMAND_OPTIONS = {
    "epilog": "Examples:  longra recommend --task code --memory 8G   |   "
    "longra recommend --language zh --licence open --min-speed 10   |   longra recommend --explain qwen3-4b"
}

_SHOWN = 12
_MARKS = "abcdefghijklmnopqrstuvwxyz"


def recommend(
    task: Annotated[
        Literal["writing", "code", "translation", "dialogue"], typer.Option(help="What it is for.")
    ] = "writing",
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="What it may take, such as 8G; this machine's unless said.")
    ] = None,
    licence: Annotated[Literal["open"] | None, typer.Option(help="Open-source licences only.")] = None,
    language: Annotated[str | None, typer.Option(metavar="CODE", help="A language it must know, such as zh.")] = None,
    min_speed: Annotated[float, typer.Option(min=0, metavar="N", help="Tokens a second it must write.")] = 0.0,
    context: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Tokens of the longest text; 4,096 or less unless said.")
    ] = None,
    explain: Annotated[str | None, typer.Option(metavar="MODEL", help="Show the sums for one model.")] = None,
    as_json: options.Json = False,
) -> None:
    """Rank the known models that fit this machine and do a task.

    Memory is weights, cache and overhead together. Speed is what `longra bench` has measured here, else an estimate from
    this machine's memory bandwidth. Quality figures are others', and only figures of one evaluator are compared.
    """
    from longra.choose import Wish, choose, this_machine
    from longra.library.catalogue import entries

    known = entries()
    wish = Wish(task, context, licence == "open", _language(language, known.values()), min_speed)
    entry = None if explain is None else _entry(explain, known)
    machine = this_machine(_memory(memory))
    if entry is not None:
        _explain(entry, [*known.values()], wish, machine, as_json)
        return
    choice = choose(wish, machine, known.values())
    if as_json:
        console.result_json(_as_json(choice, wish, machine))
    else:
        _show(choice, wish, machine)


def _memory(text: str | None) -> int | None:
    from longra.sizes import parse_bytes

    size = None if text is None else parse_bytes(text)
    if text is not None and not size:
        raise UsageError(f"--memory is {text!r}; give a size such as 8G or 500MB")
    return size


def _language(code: str | None, known: "Iterable[Entry]") -> str | None:
    languages = sorted({language for entry in known for language in entry.languages})
    if code is not None and code.lower() not in languages:
        raise UsageError(f"no known model lists the language {code!r}; choose from {', '.join(languages)}")
    return None if code is None else code.lower()


def _entry(text: str, known: "dict[str, Entry]") -> "Entry":
    from longra.errors import ModelNotFoundError
    from longra.library.names import match, nearest

    name = match(text, known)
    if name is None:
        near = nearest(text, known)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise ModelNotFoundError(f"{text!r} is not in the catalogue; {hint}`longra models` lists it")
    return known[name]


def _show(choice: "Choice", wish: "Wish", machine: "Machine") -> None:
    from longra.choose import TASKS, USUAL_CONTEXT

    shown = choice.ranked[:_SHOWN]
    marks = _marked(shown)
    held = f"{USUAL_CONTEXT:,} tokens, or what a model holds" if wish.context is None else f"{wish.context:,} tokens"
    console.result(f"for {wish.task}, in {human_bytes(machine.memory)} of memory, at a context of {held}\n")
    header = ("", "MODEL", "FORM", "MEMORY", "TOKENS/S", "QUALITY", "LICENCE", "WHY")
    rows = [_row(place, advice, marks) for place, advice in enumerate(shown, 1)]
    console.result(console.table(header, rows, right=frozenset({0, 3, 4, 5})))
    console.result("")
    for line in _legend(shown, marks, TASKS[wish.task].metric):
        console.result(line)
    if len(choice.ranked) > len(shown):
        console.note(f"{len(choice.ranked) - len(shown)} more fit; --json lists them")
    console.note(f"`longra install {shown[0].entry.name}` fetches the first")


def _row(place: int, advice: "Advice", marks: "dict[Reference, str]") -> tuple[str, ...]:
    figure = advice.figure
    return (
        str(place),
        advice.entry.name,
        advice.form.name,
        human_bytes(advice.needs.total),
        _speed(advice),
        "-" if figure is None else f"{figure.value:g} {marks.get(figure.reference, ' ')}",
        advice.entry.licence,
        advice.reason,
    )


def _speed(advice: "Advice") -> str:
    return f"{advice.speed:.3g} {'est.' if advice.measured_at is None else '    '}"


def _marked(shown: "list[Advice]") -> "dict[Reference, str]":
    """A letter for each evaluator's writing whose figures are not compared."""
    others = dict.fromkeys(a.figure.reference for a in shown if a.figure is not None and not a.is_comparable)
    return dict(zip(others, _MARKS, strict=False))


def _legend(shown: "list[Advice]", marks: "dict[Reference, str]", metric: str) -> list[str]:
    compared = [advice.figure for advice in shown if advice.is_comparable and advice.figure is not None]
    lines = [f"QUALITY   {metric}{_kinds(compared)}"]
    lines += [f"          {_written(reference)}" for reference in dict.fromkeys(f.reference for f in compared)]
    for reference, mark in marks.items():
        figures = [a.figure for a in shown if a.figure is not None and a.figure.reference == reference]
        lines.append(f"        {mark} not comparable{_kinds(figures)}: {_written(reference)}")
    if any(advice.measured_at is None for advice in shown):
        lines.append("TOKENS/S  est. is an estimate; `longra bench -m MODEL` measures an installed model")
    return lines


def _kinds(figures: "list[Figure]") -> str:
    kinds = dict.fromkeys(", ".join(filter(None, (figure.variant, figure.note))) for figure in figures)
    return f" ({'; '.join(kinds)})" if kinds else ""


def _written(reference: "Reference") -> str:
    return f"{reference.evaluator}, {reference.title}, {reference.date}, {reference.url}"


def _explain(entry: "Entry", known: "list[Entry]", wish: "Wish", machine: "Machine", as_json: bool) -> None:
    from longra.choose.explain import explained

    told = explained(entry, wish, machine, known)
    if as_json:
        console.result_json(told.as_json())
    else:
        console.result("\n".join(told.lines()))


def _as_json(choice: "Choice", wish: "Wish", machine: "Machine") -> dict[str, Any]:
    return {
        "task": wish.task,
        "context": wish.context,
        "memory_bytes": round(machine.memory),
        "bandwidth_bytes_per_second": round(machine.bandwidth),
        "models": [advice.as_json() for advice in choice.ranked],
        "left_out": [{"name": other.entry.name, "reason": other.reason} for other in choice.left_out],
    }
