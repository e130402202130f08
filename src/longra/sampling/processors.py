"""Changes to a row of logits before a token is chosen.

Each processor has what it needs to know about the sequence, learns of every new token through `add`, and changes a row
of logits, float32 [vocabulary], in place through `apply`. They run in the order in which `processors_for` lists them:
bias first, penalties next, bans last, so that no penalty or bias brings a banned token back.
"""

from collections.abc import Callable, Collection, Container, Sequence
from typing import Protocol

import numpy as np

from longra.arrays import Float32
from longra.sampling.config import BANNED_BIAS, GenerationConfig
from longra.sampling.counts import TokenCounts
from longra.sampling.dry import Dry


class Processor(Protocol):
    """A change to logits that may depend on the tokens so far."""

    def add(self, token: int) -> None:
        """The sequence has grown by a token."""

    def apply(self, logits: Float32) -> None:
        """Change a row of logits [vocabulary] in place."""


class LogitBias:
    """Adds a number to some tokens' logits; -100 bans."""

    def __init__(self, bias: Sequence[tuple[int, float]]) -> None:
        self._ids = np.array([token for token, _ in bias], np.int64)
        self._bias = np.array([-np.inf if value <= BANNED_BIAS else value for _, value in bias], np.float32)

    def add(self, token: int) -> None:
        """A bias does not depend on the text."""

    def apply(self, logits: Float32) -> None:
        logits[self._ids] += self._bias


class RepetitionPenalty:
    """Divides positive and multiplies negative logits of tokens in prompt or text (Keskar et al. 2019, CTRL, 4.1)."""

    def __init__(self, penalty: float, prompt: Sequence[int]) -> None:
        self._penalty = np.float32(penalty)
        self._seen = TokenCounts(prompt)

    def add(self, token: int) -> None:
        self._seen.add(token)

    def apply(self, logits: Float32) -> None:
        ids = self._seen.ids
        values = logits[ids]
        logits[ids] = np.where(values > 0, values / self._penalty, values * self._penalty)


class CountPenalty:
    """Takes presence + frequency * count from the logits of tokens in the text, the prompt not counted (OpenAI)."""

    def __init__(self, presence: float, frequency: float) -> None:
        self._presence, self._frequency = np.float32(presence), np.float32(frequency)
        self._text = TokenCounts()

    def add(self, token: int) -> None:
        self._text.add(token)

    def apply(self, logits: Float32) -> None:
        logits[self._text.ids] -= self._presence + self._frequency * self._text.counts


class NoRepeatNgram:
    """Bans tokens that would complete a run of n tokens that prompt or text already hold (Paulus et al. 2017, 2.5)."""

    def __init__(self, size: int, prompt: Sequence[int]) -> None:
        self._size = size
        self._followers: dict[tuple[int, ...], list[int]] = {}
        self._tail: tuple[int, ...] = ()
        for token in prompt:
            self.add(token)

    def add(self, token: int) -> None:
        if len(self._tail) == self._size - 1:
            self._followers.setdefault(self._tail, []).append(token)
        self._tail = (*self._tail, token)[-(self._size - 1) :] if self._size > 1 else ()

    def apply(self, logits: Float32) -> None:
        logits[self._followers.get(self._tail, [])] = -np.inf


class MinTokens:
    """Bans the end tokens until the text has enough tokens."""

    def __init__(self, count: int, ends: Collection[int]) -> None:
        self._left = count
        self._ends = sorted(ends)

    def add(self, token: int) -> None:  # noqa: ARG002
        self._left -= 1

    def apply(self, logits: Float32) -> None:
        if self._left > 0:
            logits[self._ends] = -np.inf


def processors_for(
    config: GenerationConfig, prompt: Sequence[int], ends: Collection[int], breakers: Container[int]
) -> list[Processor]:
    """The processors that a config asks for, in order; those that are off are left out.

    Args:
        prompt: the prompt's token ids.
        ends: tokens that end a text.
        breakers: tokens that a DRY run does not reach across.
    """
    wanted: list[tuple[bool, Callable[[], Processor]]] = [
        (bool(config.logit_bias), lambda: LogitBias(list(config.logit_bias.items()))),
        (config.repetition_penalty != 1, lambda: RepetitionPenalty(config.repetition_penalty, prompt)),
        (
            config.presence_penalty != 0 or config.frequency_penalty != 0,
            lambda: CountPenalty(config.presence_penalty, config.frequency_penalty),
        ),
        (
            config.dry_multiplier > 0,
            lambda: Dry(config.dry_multiplier, config.dry_base, config.dry_allowed_length, breakers, prompt),
        ),
        (config.no_repeat_ngram > 0, lambda: NoRepeatNgram(config.no_repeat_ngram, prompt)),
        (config.min_tokens > 0, lambda: MinTokens(config.min_tokens, ends)),
    ]
    return [make() for on, make in wanted if on]
