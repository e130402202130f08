"""The options by which a measure against references has a model write its hypotheses, and the writing."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.shared import console, options
from longra.cli.shared.remaining import Remaining
from longra.cli.shared.saving import save_text
from longra.errors import LongraError, UsageError

if TYPE_CHECKING:
    from longra.evaluate.references.generated import Hypothesis
    from longra.sampling import GenerationConfig

_DEFAULTS = {"temperature": 0.0, "seed": 0}
"""A measurement is to be repeated."""


@dataclass(frozen=True)
class Generating:
    """The options; without --model nothing is generated."""

    model: Annotated[
        str | None, typer.Option("-m", "--model", help="Have this model write the hypotheses; HYP is what it is asked.")
    ] = None
    prompt: Annotated[
        str,
        typer.Option("--prompt", metavar="TEMPLATE", help="What it is asked: {source} is HYP, {name} another field."),
    ] = "{source}"
    output: Annotated[
        Path | None, typer.Option(metavar="OUT.jsonl", help="Keep what it writes; the same command goes on from there.")
    ] = None
    chat: Annotated[
        bool | None, typer.Option("--chat/--raw", help="Ask / let go on; asks if the model has a chat template.")
    ] = None
    system: options.System = None
    max_tokens: options.MaxTokens = None
    temperature: Annotated[
        float | None, typer.Option("-t", "--temperature", help="How bold: 0, the likeliest, unless said.")
    ] = None
    seed: Annotated[int | None, typer.Option(help="Another seed gives other texts; 0 unless said.")] = None
    stop: options.Stop = None
    preset: options.PresetName = None
    context: options.Context = None
    threads: options.Threads = None

    def check(self) -> None:
        """Say which options need a model.

        Raises:
            UsageError: there is one of them, and no model.
        """
        if self.model is None:
            given = [name for name, value in asdict(self).items() if value not in (None, "{source}")]
            if given:
                raise UsageError(f"--{given[0].replace('_', '-')} is for hypotheses that a model writes; add --model")

    def config(self) -> "GenerationConfig":
        """Greedy, but for what is given."""
        sampling = options.Sampling(
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seed=self.seed,
            stop=self.stop,
            preset=self.preset,
        )
        return sampling.config(defaults=_DEFAULTS)


@dataclass(frozen=True)
class Written:
    """Hypotheses that a model wrote.

    Attributes:
        texts: in the order of the segments.
        settings: all that they depend on.
        signature: the same in a line.
    """

    texts: list[str]
    settings: dict[str, Any]
    signature: str


def write(how: Generating, source: str, segments: Sequence[str]) -> Written:
    """Have the model write a hypothesis for each segment, going on with what --output holds.

    Raises:
        LongraError, UsageError: see `longra.evaluate.references.generated` and `longra.evaluate.journal`.
    """
    from longra.evaluate.journal import Journal, way_on
    from longra.evaluate.references.generated import (
        Asking,
        Hypothesis,
        hypotheses,
        prompts_of,
        settings_of,
        signature_of,
    )

    config = how.config()
    prompts = dict(enumerate(prompts_of(source, segments, how.prompt), 1))
    running = options.Running(model=how.model, context=how.context, threads=how.threads)
    model, _ = running.load(cache_dir="none")
    chat = model.template is not None if how.chat is None else how.chat
    asking = Asking(how.prompt, chat, how.system)
    settings = settings_of(model, asking, config)
    with Journal(how.output, settings) as journal:
        found = {row["number"]: Hypothesis(**row) for row in journal.rows}
        _check_same(found, prompts, how.output)
        if found:
            console.note(f"{how.output}: {len(found):,} of {len(prompts):,} are there already")
        missing = {number: prompt for number, prompt in prompts.items() if number not in found}
        try:
            with Remaining(len(missing)) as remaining:
                for hypothesis in hypotheses(model, asking, config, missing):
                    journal.add(asdict(hypothesis))
                    found[hypothesis.number] = hypothesis
                    remaining.advance(1)
        except KeyboardInterrupt:
            console.note(f"interrupted: {len(found):,} of {len(prompts):,} are written; {way_on(how.output)}")
            raise
    ordered = [found[number] for number in prompts]
    if how.output is not None and missing:
        _put_in_order(how.output, ordered, settings)
    _warn_of_cut(ordered, config)
    return Written([hypothesis.text for hypothesis in ordered], settings, signature_of(settings))


def _check_same(found: "dict[int, Hypothesis]", prompts: dict[int, str], output: Path | None) -> None:
    """What was written must belong to this data."""
    for number, hypothesis in found.items():
        if prompts.get(number) != hypothesis.prompt:
            raise LongraError(f"{output} has another text as segment {number:,}; give another --output for this data")


def _put_in_order(output: Path, ordered: "Sequence[Hypothesis]", settings: dict[str, Any]) -> None:
    """The file in the order of the segments, so that it can be measured again as OUT.jsonl:text."""
    rows = (json.dumps(asdict(hypothesis) | {"run": settings}, ensure_ascii=False) for hypothesis in ordered)
    save_text(output, "".join(row + "\n" for row in rows))
    console.note(f"{output}: written; {output}:text is HYP for another measure")


def _warn_of_cut(ordered: "Sequence[Hypothesis]", config: "GenerationConfig") -> None:
    cut = Counter(hypothesis.finish_reason for hypothesis in ordered)["length"]
    if cut:
        console.warning(
            f"{cut:,} of {len(ordered):,} hypotheses were cut at {config.max_tokens:,} tokens; -n allows more"
        )
