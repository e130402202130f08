"""From a row of logits to a token: processors, then temperature, top-k, typical-p, top-p, min-p, then the draw."""

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass

import numpy as np

from longra.arrays import Float32
from longra.errors import LongraError
from longra.sampling import truncation
from longra.sampling.config import GenerationConfig
from longra.sampling.processors import processors_for
from longra.sampling.truncation import Candidates, Float64


@dataclass(frozen=True)
class Choice:
    """A chosen token.

    Attributes:
        token: its id.
        logprob: natural logarithm of its probability under the model, before any change; None unless asked for.
        alternatives: the most likely tokens and their logarithms, under the model; empty unless asked for.
    """

    token: int
    logprob: float | None = None
    alternatives: tuple[tuple[int, float], ...] = ()


class Sampler:
    """Chooses the tokens of one text.

    Each draw takes its own number from a counter-based generator (Salmon et al. 2011, Philox) keyed by seed, sequence
    and index of the token, so that a text depends on nothing that is generated beside it.

    Args:
        config: what the user asks for; its seed must be set.
        sequence: number of the text among those of one prompt.
        prompt: the prompt's token ids.
        ends: tokens that end a text.
        breakers: tokens that a DRY run does not reach across.
    """

    def __init__(
        self,
        config: GenerationConfig,
        sequence: int = 0,
        prompt: Sequence[int] = (),
        ends: Collection[int] = (),
        breakers: Container[int] = (),
    ) -> None:
        self.config = config
        self.sequence = sequence
        self.index = 0
        self.processors = processors_for(config, prompt, ends, breakers)

    def choose(self, logits: Float32) -> Choice:
        """The next token of a row of logits, float32 [vocabulary], which is left as it is.

        Raises:
            LongraError: a logit is not a number.
        """
        changed = logits
        if self.processors:
            changed = logits.copy()
            for processor in self.processors:
                processor.apply(changed)
        best = int(np.argmax(changed))  # the first that is not a number, if there is one
        if np.isnan(changed[best]):
            raise LongraError(
                f"the model gave no number for token {best} at place {self.index} of the text; its weights may be damaged "
                "(`longra verify` tells) or overflow (try --weights f32)"
            )
        token = best if self.config.greedy or np.isinf(changed[best]) else self._draw(changed)
        for processor in self.processors:
            processor.add(token)
        self.index += 1
        return self._choice(token, logits)

    def _draw(self, logits: Float32) -> int:
        if _cuts_nothing(self.config):
            return _place(np.exp((logits - logits.max()) / np.float32(self.config.temperature)), self._uniform())
        candidates = candidates_of(logits, self.config)
        return int(candidates.ids[_place(candidates.probabilities(), self._uniform())])

    def _uniform(self) -> float:
        """A number in [0, 1) that belongs to this seed, sequence and index."""
        key = np.array([self.config.seed or 0, self.sequence], np.uint64)
        bits = np.random.Philox(key=key, counter=self.index)
        return float(np.random.Generator(bits).random())

    def _choice(self, token: int, logits: Float32) -> Choice:
        count = self.config.logprobs
        if count is None:
            return Choice(token)
        top = float(logits.max())
        total = top + float(np.log(np.exp(logits - top).sum(dtype=np.float64)))
        best = truncation.most_likely(logits, count) if count else None
        pairs = zip(best.ids, best.logits, strict=True) if best is not None else ()
        return Choice(token, float(logits[token]) - total, tuple((int(i), float(v) - total) for i, v in pairs))


def _cuts_nothing(config: GenerationConfig) -> bool:
    """Whether every token may be drawn: then there is no need to sort them, which costs 3 ms for 150,000."""
    return config.top_k == 0 and config.top_p == 1 and config.min_p == 0 and config.typical_p == 1


def _place(weights: Float32 | Float64, chance: float) -> int:
    """Where the running sum of weights [n] passes a share `chance` of it; never at a weight of 0."""
    reached = np.cumsum(weights, dtype=np.float64)
    target = min(chance * float(reached[-1]), float(np.nextafter(reached[-1], 0)))
    return int(np.searchsorted(reached, target, side="right"))


def candidates_of(logits: Float32, config: GenerationConfig) -> Candidates:
    """The tokens that a config leaves of a row [vocabulary], logits divided by the temperature.

    top-p is the mass of what top-k and typical-p leave; with both off, of the whole vocabulary.
    """
    scaled = logits / np.float32(config.temperature)
    whole = len(scaled)
    if 0 < config.top_k < whole:
        candidates = truncation.most_likely(scaled, config.top_k)
        if config.typical_p < 1:
            candidates = truncation.typical_p(candidates, config.typical_p)
    elif config.typical_p < 1:
        candidates = truncation.most_typical(scaled, config.typical_p)
    elif config.top_p < 1:
        candidates = truncation.above_mass(scaled, config.top_p)
        total = float(np.exp(scaled - scaled.max()).sum(dtype=np.float64))
        shares = np.exp(candidates.logits - candidates.logits[0]).astype(np.float64) / total
        candidates = truncation.top_p(candidates, config.top_p, shares)
        return truncation.min_p(candidates, config.min_p) if config.min_p > 0 else candidates
    elif config.min_p > 0:
        return truncation.min_p(truncation.above_share(scaled, config.min_p), config.min_p)
    else:
        candidates = truncation.ordered(scaled, np.arange(whole))
    if config.top_p < 1:
        candidates = truncation.top_p(candidates, config.top_p, candidates.probabilities())
    if config.min_p > 0:
        candidates = truncation.min_p(candidates, config.min_p)
    return candidates
