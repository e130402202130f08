"""Perplexity: how surprised a model is by a text, for each token, word or character, and byte."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from longra.errors import UsageError
from longra.evaluate.conditions import conditions
from longra.evaluate.likelihood.distributions import log_probabilities
from longra.evaluate.likelihood.windows import Window, beginning, digest, rows_after, window_of, windows
from longra.text.units import UnitName, name_of, units_of

if TYPE_CHECKING:
    from longra.arrays import Float32
    from longra.model import Model


@dataclass(frozen=True)
class Perplexity:
    """What was measured.

    Attributes:
        nats: negative log-likelihood of all scored tokens together, natural logarithm.
        tokens: scored ones.
        unit: "words", or "characters" where the text is mostly ideographs.
        units: of the text that the scored tokens are.
        characters: of that text (code points).
        bytes: of that text in UTF-8.
        window, stride: tokens read at once, and from one window's start to the next one's.
        begins: each window starts with the token that begins a text, and the first token is scored.
        complete: the whole text was scored.
    """

    nats: float
    tokens: int
    unit: UnitName
    units: int
    characters: int
    bytes: int
    window: int
    stride: int
    begins: bool
    complete: bool

    @property
    def per_token(self) -> float:
        """exp of the mean negative log-likelihood of a token."""
        return math.exp(self.nats / self.tokens)

    @property
    def per_unit(self) -> float | None:
        """exp of the negative log-likelihood, shared out among words (or ideographs); infinite where that overflows, None
        where there is neither."""
        if self.units == 0:
            return None
        mean = self.nats / self.units
        return math.exp(mean) if mean < 700 else math.inf

    @property
    def bits_per_character(self) -> float:
        """Base 2."""
        return self.nats / math.log(2) / max(1, self.characters)

    @property
    def bits_per_byte(self) -> float:
        """Base 2; the one figure that does not depend on the tokenizer or the script."""
        return self.nats / math.log(2) / max(1, self.bytes)

    def as_json(self) -> dict[str, Any]:
        """Under stable names."""
        return vars(self) | {
            "perplexity_per_token": self.per_token,
            "perplexity_per_unit": self.per_unit,
            "bits_per_character": self.bits_per_character,
            "bits_per_byte": self.bits_per_byte,
        }


class Scoring:
    """A text being scored; what is done so far can be asked for at any time.

    Args:
        window: tokens that the model reads at once; None for the usual number.
        stride: from one window's start to the next one's, 1 to window - 1; None for half a window.

    Raises:
        UsageError: a parameter is out of range, or the text is too short to score a token.
    """

    def __init__(self, model: "Model", text: str, window: int | None = None, stride: int | None = None) -> None:
        self.model = model
        self.window = window_of(model, window)
        self.stride = self.window // 2 if stride is None else stride
        if not 1 <= self.stride < self.window:
            raise UsageError(f"--stride {self.stride:,} is out of range; choose 1 to {self.window - 1:,}")
        self.tokens = model.tokenizer.encode(text, special=False, add_special=False)
        self.begin = beginning(model.tokenizer)
        if len(self.begin) + len(self.tokens) < 2:
            raise UsageError("the text has too few tokens to score one; give a longer text")
        self.plan = windows(len(self.tokens), self.window - len(self.begin), self.stride, bool(self.begin))
        self.scored = 0
        self.nats = 0.0

    @property
    def work(self) -> int:
        """Tokens that are still to be read."""
        return sum(window.end - window.start for window in self.plan)

    @property
    def run_of(self) -> dict[str, Any]:
        """What the figures depend on, for a Journal."""
        return {**conditions(self.model), "text": digest(self.tokens), "window": self.window, "stride": self.stride}

    def resume(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Go on where an earlier run ended.

        Args:
            rows: what it has kept: its windows, from the first on.
        """
        self.plan = self.plan[len(rows) :]
        self.scored += sum(int(row["scored"]) for row in rows)
        self.nats += sum(float(row["nats"]) for row in rows)

    def run(
        self,
        advance: Callable[[int], None] = lambda _: None,
        keep: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> Perplexity:
        """Score what is left. After a KeyboardInterrupt, `result` has what is done.

        Args:
            advance: called with the tokens that were read since the last call.
            keep: called with each window that is done, for `resume`.
        """
        for window in self.plan:
            nats = self.nats
            before = window.end - window.start - window.scored
            for rows in self._rows(window):
                here = self.tokens[self._first + self.scored :][: len(rows)]
                self.nats -= float(log_probabilities(rows, np.array(here)).sum())
                self.scored += len(rows)
                advance(before + len(rows))
                before = 0
            keep({"scored": window.scored, "nats": self.nats - nats})
        return self.result()

    def result(self) -> Perplexity:
        """What is done so far.

        Raises:
            UsageError: nothing is.
        """
        if self.scored == 0:
            raise UsageError("no token was scored")
        scored = self.tokens[self._first : self._first + self.scored]
        text = self.model.tokenizer.decode(scored, skip_special=False, continues=self._first > 0)
        units = units_of(text)
        return Perplexity(
            self.nats,
            self.scored,
            name_of(units),
            len(units),
            len(text),
            len(text.encode()),
            self.window,
            self.stride,
            bool(self.begin),
            self.scored == len(self.tokens) - self._first,
        )

    @property
    def _first(self) -> int:
        """The first token that is scored."""
        return 0 if self.begin else 1

    def _rows(self, window: Window) -> "Iterator[Float32]":
        """The last token is not read: nothing that is scored follows it."""
        read = [*self.begin, *self.tokens[window.start : window.end]][:-1]
        return rows_after(self.model, read, window.scored)
