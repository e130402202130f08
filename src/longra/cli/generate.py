"""`longra generate`: continue a text, or answer a message."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from longra.cli import console, notes, options
from longra.cli.prompt import read_prompt
from longra.cli.streaming import ended, show
from longra.errors import UsageError

if TYPE_CHECKING:
    from longra.model import Model
    from longra.result import Continuation, Result
    from longra.sampling import GenerationConfig
    from longra.text.tidy import Step, TidyResult


class _Command(TyperCommand):
    """`--tidy` takes its value only after "=", so that a prompt may follow it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        words = ["--tidy=default" if word == "--tidy" else word for word in args[:end]]
        return super().parse_args(ctx, [*words, *args[end:]])


_SHORT = 1000  # characters of a prompt for which a whole tokenizer is not worth making

COMMAND_OPTIONS = {
    "cls": _Command,
    "epilog": 'Examples:  longra generate "The history of printing begins" -n 200   |   '
    "cat story.txt | longra generate --raw --tidy",
}


def generate(
    *,
    prompt: Annotated[str | None, typer.Argument(metavar="PROMPT", help="What to go on with, or to answer.")] = None,
    file: options.File = None,
    loading: options.Loading,
    sampling: options.Sampling,
    logprobs: Annotated[
        int | None, typer.Option(metavar="K", help="Tell each token's probability, and the K best.")
    ] = None,
    num_sequences: Annotated[int | None, typer.Option(help="Texts for the one prompt; 1 unless said.")] = None,
    system: options.System = None,
    chat: Annotated[
        bool | None, typer.Option("--chat/--raw", help="Answer / go on; answers if the model has a chat template.")
    ] = None,
    tidy: Annotated[
        str | None, typer.Option(metavar="[=STEPS]", help="Tidy the text at the end; see `longra tidy --help`.")
    ] = None,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> None:
    """Continue a text, or answer a message.

    The prompt is the file (or standard input), then PROMPT. The text goes to stdout as it comes. Ctrl-C keeps what
    there is.
    """
    if chat is False and system is not None:
        raise UsageError("--system needs a chat; leave --raw away")
    config = sampling.config(logprobs=logprobs, num_sequences=num_sequences)
    steps = None if tidy is None else _steps(tidy)
    text = read_prompt(prompt, file)
    loaded, name = loading.load(lazy=len(text) <= _SHORT)
    config = sampling.biased(config, loaded.tokenizer)
    if note := notes.script_note(text, name):
        console.warning(note)
    stream = loaded.stream(text, config, chat=chat, system=system)
    live = not as_json and steps is None
    if live and config.num_sequences > 1:
        console.result(_heading(0, config.num_sequences))
    interrupted = show(stream, live)
    _finish(stream.result, loaded, config, steps, as_json)
    if verbose:
        sampling.tell_preset()
        console.note(notes.summary(stream.result, config, loaded.engine.backend.threads))
    if interrupted:
        raise KeyboardInterrupt


def _steps(tidy: str) -> "list[Step]":
    from longra.text.tidy import parse_steps

    return parse_steps(tidy)


def _finish(
    result: "Result", model: "Model", config: "GenerationConfig", steps: "list[Step] | None", as_json: bool
) -> None:
    """What is shown at the end."""
    if as_json:
        console.result_json(_as_json(result, steps))
    else:
        _show_rest(result, steps)
    for sequence in result.sequences:
        if sequence.logprobs and not as_json:
            console.note(notes.probabilities(sequence, model))
    if note := notes.context_note(result, config):
        console.warning(note)


def _show_rest(result: "Result", steps: "list[Step] | None") -> None:
    """The texts that were not shown as they came."""
    count = len(result.sequences)
    for i, sequence in enumerate(result.sequences):
        if i == 0 and steps is None:
            continue
        if count > 1:
            console.result(_heading(i, count))
        console.write(ended(sequence.text if steps is None else _tidied(sequence, steps).text))


def _as_json(result: "Result", steps: "list[Step] | None") -> dict[str, Any]:
    """The result's object; with tidied texts, and how they were tidied, if there are steps."""
    shown = result.as_json()
    if steps is None:
        return shown
    objects: Sequence[dict[str, Any]] = shown.get("sequences", ())
    for target, sequence in zip((shown, *objects), (result.sequences[0], *result.sequences), strict=False):
        tidied = _tidied(sequence, steps)
        target["text"] = tidied.text
        target["tidy"] = {
            "before": sequence.text,
            "changes": [asdict(change) for change in tidied.changes],
            "notes": [asdict(note) for note in tidied.notes],
        }
    return shown


def _tidied(sequence: "Continuation", steps: "list[Step]") -> "TidyResult":
    from longra.text.tidy import tidy

    return tidy(sequence.text, steps)


def _heading(index: int, count: int) -> str:
    return f"--- {index + 1} of {count} ---"
