"""Options that several verbs share: the same name and meaning everywhere.

Each is None unless given, so that defaults live in one place, `longra.sampling.GenerationConfig`; the helps repeat
them, and a test compares the two. A verb takes whole groups of them as one parameter (`longra.cli.shared.spread`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from longra.cli.shared import console

if TYPE_CHECKING:
    from longra.model import Model as LoadedModel
    from longra.sampling import GenerationConfig
    from longra.text.tokenizer import Tokenizer

RopeScalingKind = Literal["yarn", "linear", "dynamic"]
WeightKind = Literal["f32", "bf16", "q8", "q4"]
CacheKind = Literal["f32", "bf16", "q8"]

Model = Annotated[
    str | None, typer.Option("-m", "--model", help="Name, source or path of a model; a small one unless said.")
]
Threads = Annotated[int | None, typer.Option(min=1, max=256, help="Threads; one a core unless said.")]
Weights = Annotated[WeightKind | None, typer.Option(help="Hold matrices so; as the file has them unless said.")]
Cache = Annotated[CacheKind | None, typer.Option(help="Hold keys and values so; bf16 unless said.")]
Context = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Tokens to hold; more than the model file says stretches its positions."),
]
RopeScaling = Annotated[
    RopeScalingKind | None,
    typer.Option(help="How --context stretches; the model file's way unless said, else yarn."),
]
MaxTokens = Annotated[int | None, typer.Option("-n", "--max-tokens", help="New tokens at most; 512 unless said.")]
MinTokens = Annotated[int | None, typer.Option(help="New tokens before the text may end.")]
Temperature = Annotated[
    float | None, typer.Option("-t", "--temperature", help="How bold: 0 always takes the likeliest; 0.7 unless said.")
]
TopK = Annotated[int | None, typer.Option(help="Only the K likeliest tokens; 40 unless said, 0 is off.")]
TopP = Annotated[float | None, typer.Option(help="Only the likeliest up to this mass; 0.95 unless said, 1 is off.")]
MinP = Annotated[float | None, typer.Option(help="Only tokens this share as likely as the best; 0 is off.")]
TypicalP = Annotated[float | None, typer.Option(help="Only tokens of typical surprise, to this mass; 1 is off.")]
RepetitionPenalty = Annotated[float | None, typer.Option(help="Divide what was said already; 1 is off.")]
PresencePenalty = Annotated[float | None, typer.Option(help="Off what the text has, once; 0 is off.")]
FrequencyPenalty = Annotated[float | None, typer.Option(help="Off what the text has, each time; 0 is off.")]
NoRepeatNgram = Annotated[int | None, typer.Option(help="Never the same run of so many tokens twice; 0 is off.")]
DryMultiplier = Annotated[float | None, typer.Option(help="Strength of DRY against repeated runs; 0 is off.")]
Seed = Annotated[int | None, typer.Option(help="The same seed gives the same text; drawn unless said.")]
Stop = Annotated[list[str] | None, typer.Option(metavar="TEXT", help="End before this text; may be repeated.")]
Bias = Annotated[
    list[str] | None,
    typer.Option(
        "--logit-bias", metavar="ID=BIAS", help="Add to a token's logit (its text will do); -100 bans; repeatable."
    ),
]
System = Annotated[str | None, typer.Option(help="Who the model is to be: the system message.")]
Speculation = Annotated[
    bool | None,
    typer.Option(
        "--speculation/--no-speculation", help="Guess what repeats, where that is faster; never changes a text."
    ),
]
PresetName = Annotated[
    str | None,
    typer.Option(
        "--preset", metavar="NAME", help="Parameters kept under a name (`longra presets`); other options come before."
    ),
]
DraftFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A text that will be repeated in part: guess from it too.")
]
CacheDir = Annotated[
    str | None, typer.Option(metavar="DIR", help="Keep what was read here, to read nothing twice; none: do not.")
]
StrictCache = Annotated[
    bool, typer.Option("--strict-cache", help="Read anew what the model wrote: to the last bit as without a cache.")
]
TemplateName = Annotated[
    str | None, typer.Option("--template", metavar="NAME|FILE", help="What to say to the model: `longra templates`.")
]
ShowPrompt = Annotated[
    bool, typer.Option("--show-prompt", help="Print what the model would read, and the settings; write nothing.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
JsonLines = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout: each answer.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="A line on stderr: speeds, memory, seed.")]
File = Annotated[Path | None, typer.Option("-f", "--file", help="Read the prompt from a file; - is standard input.")]


@dataclass(frozen=True)
class Sampling:
    """The options that say how to choose tokens, and when to end."""

    max_tokens: MaxTokens = None
    min_tokens: MinTokens = None
    temperature: Temperature = None
    top_k: TopK = None
    top_p: TopP = None
    min_p: MinP = None
    typical_p: TypicalP = None
    repetition_penalty: RepetitionPenalty = None
    presence_penalty: PresencePenalty = None
    frequency_penalty: FrequencyPenalty = None
    no_repeat_ngram: NoRepeatNgram = None
    dry_multiplier: DryMultiplier = None
    seed: Seed = None
    stop: Stop = None
    logit_bias: Bias = None
    speculation: Speculation = None
    draft_file: DraftFile = None
    preset: PresetName = None

    def config(self, defaults: Mapping[str, Any] | None = None, **more: Any) -> "GenerationConfig":
        """The configuration that was asked for, but for --logit-bias, which needs a tokenizer: `biased` adds it.

        What the user gave comes before the preset, and the preset before the verb's defaults.

        Args:
            defaults: fields that the verb sets otherwise than GenerationConfig.
            more: other fields that the user may have given; None is not given.

        Raises:
            UsageError: a value is out of range, the draft file is not text, or there is no such preset.
            LongraError: the preset is wrong.
        """
        from longra.cli.shared.logit_bias import parse_biases
        from longra.sampling import GenerationConfig

        parse_biases(self.logit_bias or ())  # what is wrong with them is said before a model is loaded
        return GenerationConfig(**{**(defaults or {}), **self.asked(), **given(**more)})

    def asked(self) -> dict[str, Any]:
        """The fields of `GenerationConfig` that were given, or are in the preset, but for those of --logit-bias.

        Raises:
            UsageError, LongraError: see `config`.
        """
        return {**self._preset_values(), **self._given(), **given(draft_text=draft_text(self.draft_file))}

    def tell_preset(self) -> None:
        """Say on stderr what the preset gave, if there is one: what was given otherwise is left out."""
        if self.preset is None:
            return
        taken = {name: value for name, value in self._preset_values().items() if name not in self._given()}
        values = ", ".join(f"{name.replace('_', '-')} {value}" for name, value in taken.items())
        console.note(f"preset {self.preset}: {values or 'nothing; all was given otherwise'}")

    def _given(self) -> dict[str, Any]:
        """Fields of GenerationConfig that the user gave by options; --logit-bias and --draft-file stand apart."""
        apart = ("logit_bias", "draft_file", "preset")
        return given(**{field.name: getattr(self, field.name) for field in fields(self) if field.name not in apart})

    def _preset_values(self) -> Mapping[str, Any]:
        if self.preset is None:
            return {}
        from longra.sampling.presets import find_preset

        return find_preset(self.preset).values

    def biased(self, config: "GenerationConfig", tokenizer: "Tokenizer") -> "GenerationConfig":
        """The configuration with the biases of --logit-bias.

        Raises:
            UsageError: one of them names no token.
        """
        from longra.cli.shared.logit_bias import parse_biases, token_biases

        given_biases = token_biases(parse_biases(self.logit_bias or ()), tokenizer)
        return replace(config, logit_bias={**config.logit_bias, **given_biases})


@dataclass(frozen=True)
class Running:
    """The options that say which model to run, and how to hold it."""

    model: Model = None
    context: Context = None
    rope_scaling: RopeScaling = None
    threads: Threads = None
    weights: Weights = None
    cache: Cache = None

    def load(self, **more: Any) -> "tuple[LoadedModel, str]":
        """The model, and what it is called: the default one if none is named.

        Args:
            more: other arguments of `longra.load`.
        """
        how = {field.name: getattr(self, field.name) for field in fields(self)}
        return load_model(how.pop("model"), **how, **more)


@dataclass(frozen=True)
class Loading(Running):
    """The same, where what was read before may be used again."""

    cache_dir: CacheDir = None
    strict_cache: StrictCache = False


def given(**values: Any) -> dict[str, Any]:
    """Those of the values that the user gave."""
    return {name: value for name, value in values.items() if value is not None}


def draft_text(file: Path | None) -> str | None:
    """The text of --draft-file, if it is given.

    Raises:
        UsageError: it is not text in UTF-8.
    """
    from longra.cli.shared.prompt import file_text

    return None if file is None else file_text(file)


def load_model(model: str | None, **how: Any) -> "tuple[LoadedModel, str]":
    """Load the model that is meant, the default one if none is named; and what it is called.

    Args:
        how: as in `longra.load`.
    """
    from longra.library import default_model
    from longra.loading import load

    console.tell_warnings()
    name = default_model() if model is None else model
    loaded = load(name, **how)
    if loaded.context_change is not None:
        console.warning(str(loaded.context_change))
    return loaded, name
