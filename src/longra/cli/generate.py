"""`longra generate`: continue a text, or answer a message."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.shared import console, notes, options
from longra.cli.shared.prompt import read_prompt
from longra.cli.shared.show_prompt import show_prompt as print_prompt
from longra.cli.shared.streaming import ended, follow, show
from longra.cli.shared.tidied import NoTidy, Tidied, Tidy, TidyCommand, removed, steps_of, tidied
from longra.errors import UsageError

if TYPE_CHECKING:
    from longra.generation.result import Result
    from longra.tasks.goal import Goal
    from longra.tasks.template import Template
    from longra.tasks.writing import TextPlan


_SHORT = 1000  # characters of a prompt for which a whole tokenizer is not worth making

COMMAND_OPTIONS = {
    "cls": TidyCommand,
    "epilog": 'Examples:  longra generate "The history of printing begins" -n 200   |   '
    'longra generate "Tell of the sea." --length 1200   |   cat story.txt | longra generate --raw --tidy',
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
    length: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Write so many words (characters in Chinese), to within 10 %."),
    ] = None,
    template: options.TemplateName = None,
    tidy: Tidy = None,
    no_tidy: NoTidy = False,
    show_prompt: options.ShowPrompt = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> None:
    """Continue a text, or answer a message.

    The prompt is the file (or standard input), then PROMPT. The text goes to stdout as it comes. Ctrl-C keeps what
    there is.
    """
    if chat is False and system is not None:
        raise UsageError("--system needs a chat; leave --raw away")
    if length is not None:
        _check_length_alone(max_tokens=sampling.max_tokens, min_tokens=sampling.min_tokens, num_sequences=num_sequences)
        _check_length_alone(logprobs=logprobs)
    chosen = _template(template, length)
    steps = steps_of(tidy, no_tidy, None if chosen is None else chosen.tidy)
    defaults = None if chosen is None else chosen.defaults
    config = sampling.config(defaults, logprobs=logprobs, num_sequences=num_sequences)
    text = read_prompt(prompt, file)
    loaded, name = loading.load(lazy=len(text) <= _SHORT)
    config = sampling.biased(config, loaded.tokenizer)
    if note := notes.script_note(text, name):
        console.warning(note)
    from longra.generation.stream import Stream
    from longra.tasks.writing import plan_text

    plan = plan_text(loaded, text, length, template=chosen, chat=chat, system=system, config=config)
    if show_prompt:
        print_prompt(plan, steps, as_json)
        return
    live = not as_json and steps is None
    if live and config.num_sequences > 1:
        console.result(_heading(0, config.num_sequences))
    stream = plan.begin()
    interrupted = show(stream, live) if live or isinstance(stream, Stream) else follow(stream)
    result = stream.result
    texts = [tidied(sequence.text, steps) for sequence in result.sequences]
    if as_json:
        console.result_json(_as_json(result, texts, plan.goal))
    else:
        _show_rest(texts, live)
    _tell(result, texts, plan, as_json, limited="max_tokens" in sampling.asked())
    if verbose:
        sampling.tell_preset()
        console.note(notes.summary(result, config, loaded.engine.backend.threads))
    if interrupted:
        raise KeyboardInterrupt


def _check_length_alone(**others: int | None) -> None:
    for name, value in options.given(**others).items():
        raise UsageError(f"--length and --{name.replace('_', '-')} {value} do not go together; leave one of them away")


def _template(name: str | None, length: int | None) -> "Template | None":
    """The template that is meant; without one and without a length, the prompt is read as it is."""
    if name is None and length is None:
        return None
    from longra.tasks.template import Template

    return Template.load(name or "text", task="text")


def _tell(result: "Result", texts: "list[Tidied]", plan: "TextPlan", as_json: bool, limited: bool) -> None:
    """What is to be said on stderr at the end.

    Args:
        limited: whether the user said how many tokens there may be.
    """
    for sequence in result.sequences:
        if sequence.logprobs and not as_json:
            console.note(notes.probabilities(sequence, plan.model))
    for shown in texts:
        if not as_json and shown.how is not None and (gone := removed(shown.how)):
            console.note(f"removed: {gone}; --no-tidy leaves the text as the model wrote it")
    if plan.goal is not None:
        note = notes.length_note(result, texts[0].text, plan.goal)
    else:
        note = notes.context_note(result, plan.config) or (None if limited else notes.cut_note(result, plan.config))
        if circles := notes.circles_note(texts[0].text, plan.config):
            console.warning(circles)
    if note:
        console.warning(note)


def _show_rest(texts: "list[Tidied]", live: bool) -> None:
    """The texts that were not shown as they came."""
    for i, text in enumerate(texts):
        if i == 0 and live:
            continue
        if len(texts) > 1:
            console.result(_heading(i, len(texts)))
        console.write(ended(text.text))


def _as_json(result: "Result", texts: "list[Tidied]", goal: "Goal | None") -> dict[str, Any]:
    """The result's object; with tidied texts, and how they were tidied, if there are steps."""
    shown = result.as_json()
    objects: Sequence[dict[str, Any]] = shown.get("sequences", ())
    for target, text in zip((shown, *objects), (texts[0], *texts), strict=False):
        target.update(text.as_json())
    if goal is not None:
        shown["length"] = {**shown["length"], **goal.report(shown["text"])}
    return shown


def _heading(index: int, count: int) -> str:
    return f"--- {index + 1} of {count} ---"
