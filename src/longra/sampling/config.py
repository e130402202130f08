"""What a user may ask of a generation, checked when it is made."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from longra.errors import UsageError
from longra.sampling.parameters import NUMBERS, UNBOUNDED, Number, check_number

GREEDY_BELOW = 1e-5
"""Temperatures below this are greedy: dividing by them leaves nothing of the other tokens anyway."""

BANNED_BIAS = -100.0
"""A logit bias of this or less bans the token, as the OpenAI interface promises."""

_TOKEN = Number(0, UNBOUNDED, whole=True)


@dataclass(frozen=True)
class GenerationConfig:
    """How to generate. The defaults suit small models in conversation and in free text.

    Attributes:
        max_tokens: new tokens at most, 1 or more. The context may end a text earlier.
        min_tokens: new tokens before the text may end by itself or at a stop string.
        temperature: logits are divided by it, 0 to 100; 0 is greedy.
        top_k: only the k most likely tokens; 0 is off (Fan et al. 2018).
        top_p: only the most likely tokens that reach this mass, above 0 to 1; 1 is off (Holtzman et al. 2019).
        min_p: only tokens at least this share as likely as the most likely, 0 to 1; 0 is off (Nguyen et al. 2024).
        typical_p: only the tokens nearest to the expected surprise that reach this mass, above 0 to 1; 1 is off
            (Meister et al. 2022).
        repetition_penalty: logits of tokens in prompt or text are divided (multiplied when negative) by it, above 0 to
            10; 1 is off (Keskar et al. 2019).
        presence_penalty: taken from the logits of tokens that are in the text, -2 to 2; 0 is off (OpenAI).
        frequency_penalty: taken for each time that a token is in the text, -2 to 2; 0 is off (OpenAI).
        no_repeat_ngram: no run of this many tokens appears twice in prompt and text; 0 is off (Paulus et al. 2017).
        dry_multiplier: penalty of a token that would continue a repeated run, 0 to 100; 0 is off (DRY, p-e-w 2024).
        dry_base: the penalty grows by this with each token of the run, 1 to 10.
        dry_allowed_length: longest run that may be repeated free of penalty, 1 or more.
        dry_breakers: runs do not reach across the tokens that end these strings.
        seed: 0 to 2**64 - 1; None draws one, which the result reports.
        stop: the text ends before the first of these strings.
        logit_bias: token id -> number added to its logit, -100 to 100; -100 bans the token.
        logprobs: alternatives to report for each token, 0 to 100; None is off.
        num_sequences: texts to generate from the one prompt, 1 to 256.
        speculation: guess tokens where the text repeats itself, and check several in one step where that is faster; the
            text is the same with and without.
        draft_text: what the text may repeat besides prompt and text, such as an older version of it; guesses come from
            there too.
    """

    max_tokens: int = 512
    min_tokens: int = 0
    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.0
    typical_p: float = 1.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    no_repeat_ngram: int = 0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_breakers: tuple[str, ...] = ("\n", ":", '"', "*")
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    logprobs: int | None = None
    num_sequences: int = 1
    speculation: bool = True
    draft_text: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.stop, Iterable):
            raise UsageError(f"stop is {self.stop!r}; give a text, or several")
        object.__setattr__(self, "stop", (self.stop,) if isinstance(self.stop, str) else tuple(self.stop))
        for name in NUMBERS:
            value = getattr(self, name)
            if value is not None or name not in ("seed", "logprobs"):
                check_number(name, value)
        if self.min_tokens > self.max_tokens:
            raise UsageError(f"min_tokens is {self.min_tokens}; it must be at most max_tokens, {self.max_tokens}")
        _strings("stop", self.stop)
        _strings("dry_breakers", self.dry_breakers)
        for token, bias in self.logit_bias.items():
            _TOKEN.check("a token of logit_bias", token)
            check_number("logit_bias", bias, f"logit_bias of token {token}")

    @property
    def greedy(self) -> bool:
        """Whether the most likely token is always taken."""
        return self.temperature < GREEDY_BELOW


def configured(config: GenerationConfig | None, parameters: Mapping[str, Any]) -> GenerationConfig:
    """A config with some fields given by name, and a seed drawn where there is none.

    Raises:
        UsageError: there is no such field, or a value is out of range.
    """
    made = changed(config or GenerationConfig(), parameters)
    return made if made.seed is not None else replace(made, seed=secrets.randbits(32))


def changed(config: GenerationConfig, parameters: Mapping[str, Any]) -> GenerationConfig:
    """A config with some fields given by name; raises as `configured`."""
    known = GenerationConfig.__dataclass_fields__
    for name in parameters:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise UsageError(f"generate has no parameter {name!r}; {hint}")
    return replace(config, **parameters)


def _strings(name: str, values: tuple[str, ...]) -> None:
    for value in values:
        if not isinstance(value, str) or not value:
            raise UsageError(f"{name} holds {value!r}; each must be a text that is not empty")
