"""`longra evaluate`: measure a text, beside references, by itself, or by people. One module per measure."""

import typer

from longra.cli.lazy import LazyGroup
from longra.cli.shared import console

VERBS = {
    "bleu": "Shared runs of words with references (BLEU); for translations.",
    "chrf": "Shared runs of characters with references (chrF); for translations.",
    "rouge": "Shared words and sequences with references (ROUGE); for summaries.",
    "code": "Programs that a model writes: how often they pass their tests (pass@k).",
    "range": "How far a model's attention reaches: what it finds in long texts (RULER).",
    "text": "A long text by itself: length, repetition, loops, unfinished sentences.",
    "human": "People judge outputs on a page, without knowing whose they are.",
    "perplexity": "How surprised a model is by a text.",
    "kl": "How far one model's predictions are from another's.",
}
"""Verb -> what it does. Each lives in longra/cli/evaluate/<verb>.py as a function of the same name."""


class Verbs(LazyGroup):
    """The verbs of `longra evaluate`."""

    package = "longra.cli.evaluate"
    verbs = VERBS


GROUP = typer.Typer(name="evaluate", cls=Verbs, add_completion=False, rich_markup_mode=None)


@GROUP.callback(
    invoke_without_command=True,
    epilog="Examples:  longra evaluate bleu out.txt ref.txt   |   longra evaluate text story.md --target-length 3000",
)
def evaluate(ctx: typer.Context) -> None:
    """Measure a text, beside references, by itself, or by people.

    Every figure comes with all that it depends on: its variant, its tokenizer, its seed.
    """
    if ctx.invoked_subcommand is None:
        console.result(ctx.get_help())
