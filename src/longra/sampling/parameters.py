"""What each parameter of a generation may be, and what it does: `GenerationConfig` checks by it, `longra params` shows it.

Defaults are those of `GenerationConfig`.
"""

import math
from dataclasses import dataclass
from typing import Any

from longra.errors import UsageError

UNBOUNDED = 2**31 - 1
"""Stands for "as many as you like"."""


@dataclass(frozen=True)
class Number:
    """What a number may be.

    Attributes:
        low, high: the least and the most.
        whole: no fractions.
        above: `low` itself is left out.
        note: what an error says besides the range.
    """

    low: float
    high: float
    whole: bool = False
    above: bool = False
    note: str = ""

    def __str__(self) -> str:
        if self.high == UNBOUNDED:
            return f"{self.low:g} or more"
        most = "2⁶⁴ - 1" if self.high == 2**64 - 1 else f"{self.high:g}"
        return f"{'above ' if self.above else ''}{self.low:g} to {most}"

    def check(self, name: str, value: Any) -> None:
        """Check a value.

        Raises:
            UsageError: it is no number, or out of range; the message calls it by `name`.
        """
        if self.whole:
            if isinstance(value, bool) or not hasattr(value, "__index__") or not self.low <= value <= self.high:
                raise UsageError(f"{name} is {value!r}; it must be a whole number from {self.low:g} to {self.high}")
            return
        fits = isinstance(value, int | float) or hasattr(value, "__float__")
        low_is_out = self.above and fits and value == self.low
        if not fits or math.isnan(value) or not self.low <= value <= self.high or low_is_out:
            bounds = f"above {self.low:g} and at most" if self.above else f"from {self.low:g} to"
            raise UsageError(
                f"{name} is {value!r}; it must be {bounds} {self.high:g}{f' ({self.note})' if self.note else ''}"
            )


@dataclass(frozen=True)
class Parameter:
    """A parameter of a generation.

    Attributes:
        does: what it does, in a few sentences.
        source: who described it; empty where there is nothing to cite.
        number: what it may be; None for texts and switches.
        off: the value at which it changes nothing; None where there is none.
        shown: a value whose effect is worth seeing; None where it has none on chances.
        option: on the command line; empty where Python alone has it.
    """

    does: str
    source: str = ""
    number: Number | None = None
    off: float | None = None
    shown: float | None = None
    option: str = ""


PARAMETERS: dict[str, Parameter] = {
    "max_tokens": Parameter(
        "New tokens at most. A text may end earlier by itself, or where the context does.",
        number=Number(1, UNBOUNDED, whole=True),
        option="-n, --max-tokens",
    ),
    "min_tokens": Parameter(
        "The text may not end before. Tokens that would end it are banned, and stop strings do not stop it.",
        number=Number(0, UNBOUNDED, whole=True),
        off=0,
        shown=20,
        option="--min-tokens",
    ),
    "temperature": Parameter(
        "How bold the choice is. Logits are divided by it: below 1 the likely get likelier, above 1 the unlikely catch "
        "up. 0 is greedy: always the likeliest token, no drawing.",
        "Ackley, Hinton and Sejnowski 1985",
        Number(0, 100, note="0 is greedy"),
        off=1,
        shown=0.5,
        option="-t, --temperature",
    ),
    "top_k": Parameter(
        "Only the k likeliest tokens may be drawn. It is the same number whether the model is sure or not; 1 is "
        "greedy.",
        "Fan, Lewis and Dauphin 2018",
        Number(0, UNBOUNDED, whole=True),
        off=0,
        shown=2,
        option="--top-k",
    ),
    "top_p": Parameter(
        "Only the likeliest tokens, as few as reach this mass together. Few where the model is sure, many where it is"
        " not; the one that crosses the line stays.",
        "Holtzman et al. 2019, nucleus sampling",
        Number(0, 1, above=True, note="1 is off"),
        off=1,
        shown=0.8,
        option="--top-p",
    ),
    "min_p": Parameter(
        "Only tokens at least this share as likely as the likeliest. It keeps the many unlikely tokens away that a "
        "high temperature lets in.",
        "Nguyen et al. 2024",
        Number(0, 1, note="0 is off"),
        off=0,
        shown=0.2,
        option="--min-p",
    ),
    "typical_p": Parameter(
        "Only tokens of typical surprise, until they reach this mass. Those come first whose surprise is nearest to "
        "what the model expects, so the too likely are left out as well as the too unlikely.",
        "Meister et al. 2022, locally typical sampling",
        Number(0, 1, above=True, note="1 is off"),
        off=1,
        shown=0.5,
        option="--typical-p",
    ),
    "repetition_penalty": Parameter(
        "Makes what is in prompt or text less likely, once. A positive logit is divided by it, a negative one "
        "multiplied; below 1 it invites repetition.",
        "Keskar et al. 2019, CTRL",
        Number(0, 10, above=True, note="1 is off"),
        off=1,
        shown=1.5,
        option="--repetition-penalty",
    ),
    "presence_penalty": Parameter(
        "Makes what is in the text less likely, once. It is taken from the token's logit; the prompt does not count.",
        "OpenAI",
        Number(-2, 2, note="0 is off"),
        off=0,
        shown=1,
        option="--presence-penalty",
    ),
    "frequency_penalty": Parameter(
        "Makes what is in the text less likely, each time. It is taken from the token's logit as often as the token "
        "is there; the prompt does not count.",
        "OpenAI",
        Number(-2, 2, note="0 is off"),
        off=0,
        shown=1,
        option="--frequency-penalty",
    ),
    "no_repeat_ngram": Parameter(
        "No run of so many tokens comes twice. The token that would complete one is banned, which is hard: with 3, a "
        "name of three tokens can be written once.",
        "Paulus, Xiong and Socher 2017",
        Number(0, UNBOUNDED, whole=True),
        off=0,
        shown=2,
        option="--no-repeat-ngram",
    ),
    "dry_multiplier": Parameter(
        "Makes it less likely that a repeated run goes on. The token that would make it longer loses dry_multiplier ×"
        " dry_base ^ (run - dry_allowed_length) from its logit.",
        "p-e-w 2024, Don't Repeat Yourself",
        Number(0, 100, note="0 is off"),
        off=0,
        shown=0.8,
        option="--dry-multiplier",
    ),
    "dry_base": Parameter("How fast DRY's penalty grows with the repeated run.", number=Number(1, 10), shown=3),
    "dry_allowed_length": Parameter(
        "The longest run that may be repeated without DRY's penalty.",
        number=Number(1, UNBOUNDED, whole=True),
        shown=1,
    ),
    "dry_breakers": Parameter("DRY's runs do not reach across these texts. So lines of a list may begin alike."),
    "logit_bias": Parameter(
        "Added to the logits of single tokens. -100 bans a token, 100 is as good as an order.",
        "OpenAI",
        Number(-100, 100, note="-100 bans the token"),
        shown=-1.5,
        option="--logit-bias",
    ),
    "seed": Parameter(
        "The same seed gives the same text. Whatever runs beside it; without one, a seed is drawn and reported.",
        number=Number(0, 2**64 - 1, whole=True),
        option="--seed",
    ),
    "num_sequences": Parameter(
        "Texts for the one prompt. Each is the same in company as alone.",
        number=Number(1, 256, whole=True),
        option="--num-sequences",
    ),
    "stop": Parameter("The text ends before the first of these strings.", option="--stop"),
    "logprobs": Parameter(
        "Tell how likely each token was. With K, each comes with its chance under the model (the natural logarithm), "
        "and those of the K likeliest.",
        number=Number(0, 100, whole=True),
        option="--logprobs",
    ),
    "speculation": Parameter(
        "Guess what repeats, to save time. Several guesses are checked in one step; it never changes a text.",
        option="--no-speculation",
    ),
    "draft_text": Parameter(
        "A text that will be repeated in part. Guesses come from there too; an older version of the text is one.",
        option="--draft-file",
    ),
}
"""Field of GenerationConfig -> what it is, in the order in which they are shown."""


NUMBERS = tuple(name for name, parameter in PARAMETERS.items() if parameter.number is not None and name != "logit_bias")
"""Fields that hold one number."""


def check_number(name: str, value: Any, called: str = "") -> None:
    """Check a parameter's value, which an error calls by another name if one is given.

    Raises:
        UsageError: it is out of range.
    """
    number = PARAMETERS[name].number
    assert number is not None
    number.check(called or name, value)
