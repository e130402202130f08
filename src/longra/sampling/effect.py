"""What the parameters make of a row of logits: the chance of each token to be drawn."""

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from longra.arrays import Float32
from longra.sampling.config import GenerationConfig
from longra.sampling.parameters import UNBOUNDED
from longra.sampling.sampler import Sampler, candidates_of
from longra.sampling.truncation import Float64

OFF = GenerationConfig(max_tokens=UNBOUNDED, temperature=1, top_k=0, top_p=1)
"""Everything off: chances are the model's own."""


@dataclass(frozen=True)
class Moment:
    """Where a token is to be chosen.

    Attributes:
        logits: float32 [vocabulary].
        prompt: its tokens.
        text: the tokens that count as written so far.
        ends: tokens that end a text.
        breakers: tokens that a DRY run does not reach across.
    """

    logits: Float32
    prompt: Sequence[int] = ()
    text: Sequence[int] = ()
    ends: Collection[int] = ()
    breakers: Container[int] = ()

    def chances(self, config: GenerationConfig = OFF) -> Float64:
        """Each token's chance, float64 [vocabulary]; 0 for those that are left out."""
        sampler = Sampler(config, prompt=self.prompt, ends=self.ends, breakers=self.breakers)
        changed = self.logits.copy()
        for processor in sampler.processors:
            for token in self.text:
                processor.add(token)
            processor.apply(changed)
        chances = np.zeros(len(changed))
        best = int(np.argmax(changed))
        if config.greedy or np.isinf(changed[best]):
            chances[best] = 1
            return chances
        left = candidates_of(changed, config)
        chances[left.ids] = left.probabilities()
        return chances


def entropy_bits(chances: Float64) -> float:
    """How surprising the draw is on average, in bits (Shannon 1948); 0 where it is certain."""
    likely = chances[chances > 0]
    return float(-(likely * np.log2(likely)).sum()) + 0.0


TOWN_TOKENS = (" one", " a", " no", " the", "<end>")
TOWN = Moment(np.log(np.array([0.50, 0.25, 0.15, 0.07, 0.03], np.float32)), text=(1, 2, 1, 0, 1, 2, 1), ends=(4,))
"""A worked example, that of docs/generation-parameters.md: "In this town there is", after " a no a one a no a"."""


_OF_DRY = {"dry_base", "dry_allowed_length"}
_OF_TEXT = {"presence_penalty", "frequency_penalty"}


class Effect(NamedTuple):
    """Chances before and after a change of parameters, float64 [vocabulary] each."""

    before: Float64
    after: Float64

    def likeliest(self, count: int) -> list[int]:
        """The tokens that are among the `count` likeliest before or after, in the order before."""
        sides = (np.argsort(-side, kind="stable")[: min(count, int((side > 0).sum()))] for side in self)
        return sorted({int(token) for side in sides for token in side}, key=lambda token: (-self.before[token], token))


def effect_of(changes: Mapping[str, Any], moment: Moment) -> Effect:
    """What changed parameters do at a moment where all others are off.

    DRY's other parameters are shown with DRY on. The penalties that count the text alone take the prompt for text.

    Args:
        changes: field of GenerationConfig -> value.

    Raises:
        UsageError: a value is out of range.
    """
    before = OFF
    if changes.keys() & _OF_DRY:
        before = replace(OFF, dry_multiplier=0.8)
    if changes.keys() & _OF_TEXT:
        moment = replace(moment, prompt=(), text=(*moment.prompt, *moment.text))
    return Effect(moment.chances(before), moment.chances(replace(before, **changes)))
