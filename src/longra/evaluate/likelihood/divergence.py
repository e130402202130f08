"""How far one model's next-token distributions are from another's, along a text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from longra.errors import LongraError, UsageError
from longra.evaluate.conditions import conditions
from longra.evaluate.likelihood.distributions import Float64, divergences, likeliest
from longra.evaluate.likelihood.windows import beginning, digest, rows_after, window_of, windows

if TYPE_CHECKING:
    from longra.arrays import Float32
    from longra.model import Model

TOP = 10
PERCENTILES = (50, 90, 99)


@dataclass(frozen=True)
class Divergence:
    """What was measured over positions of a text.

    Attributes:
        positions: compared distributions.
        mean, most: of KL(reference || model), nats.
        most_after: the text before the position of the largest one, its end.
        percentiles: of KL, by PERCENTILES.
        same_choice: share of positions at which both find the same token likeliest.
        top_overlap: mean share of the reference's TOP likeliest tokens that are among the model's.
        window: tokens read at once; windows do not overlap.
        complete: the whole text was read.
    """

    positions: int
    mean: float
    most: float
    most_after: str
    percentiles: dict[int, float]
    same_choice: float
    top_overlap: float
    window: int
    complete: bool

    def as_json(self) -> dict[str, Any]:
        """Under stable names."""
        return {
            "positions": self.positions,
            "mean_kl": self.mean,
            "max_kl": self.most,
            "max_kl_after": self.most_after,
            "percentiles": {str(percent): value for percent, value in self.percentiles.items()},
            "same_choice": self.same_choice,
            "top_overlap": self.top_overlap,
            "top": TOP,
            "window": self.window,
            "complete": self.complete,
        }


class Comparison:
    """Two models being compared; what is done so far can be asked for at any time.

    Both read the text side by side, a block of rows at a time, so that no more than a block of each is in memory.

    Args:
        reference: P, whose distributions are taken for right.
        model: Q.
        window: tokens that are read at once; None for the usual number.

    Raises:
        UsageError: the window is out of range, or the text is empty.
        LongraError: the tokenizers differ.
    """

    def __init__(self, reference: "Model", model: "Model", text: str, window: int | None = None) -> None:
        self.reference, self.model = reference, model
        self.window = min(window_of(reference, window), window_of(model, window))
        self.tokens = reference.tokenizer.encode(text, special=False, add_special=False)
        self.begin = beginning(reference.tokenizer)
        self.width = _common_vocabulary(reference, model, text)
        if not self.tokens:
            raise UsageError("the text is empty; give at least one token")
        room = self.window - len(self.begin)
        self.plan = windows(len(self.tokens), room, room, bool(self.begin))
        self.kl: Float64 = np.empty(0)
        self._same = 0
        self._shared = 0

    @property
    def work(self) -> int:
        """Tokens that are still to be read."""
        return sum(window.end - window.start for window in self.plan)

    @property
    def run_of(self) -> dict[str, Any]:
        """What the figures depend on, for a Journal."""
        both = {"reference": conditions(self.reference), "model": conditions(self.model)}
        return {**both, "text": digest(self.tokens), "window": self.window}

    def resume(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Go on where an earlier run ended.

        Args:
            rows: what it has kept: its windows, from the first on.
        """
        self.plan = self.plan[len(rows) :]
        self.kl = np.concatenate([self.kl, *(row["kl"] for row in rows)])
        self._same += sum(int(row["same"]) for row in rows)
        self._shared += sum(int(row["shared"]) for row in rows)

    def run(
        self,
        advance: Callable[[int], None] = lambda _: None,
        keep: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> Divergence:
        """Compare along what is left of the text. After a KeyboardInterrupt, `result` has what is done.

        Args:
            advance: called with the tokens that were read since the last call.
            keep: called with each window that is done, for `resume`.
        """
        for window in self.plan:
            done, same, shared = len(self.kl), self._same, self._shared
            here = self.tokens[window.start : window.end]
            read = [*self.begin, *here]
            blocks = (rows_after(one, read, len(here)) for one in (self.reference, self.model))
            for p, q in zip(*blocks, strict=True):
                self._add(p[:, : self.width], q[:, : self.width])
                advance(len(p))
            keep({"kl": self.kl[done:].tolist(), "same": self._same - same, "shared": self._shared - shared})
        return self.result()

    def result(self) -> Divergence:
        """What is done so far.

        Raises:
            UsageError: nothing is.
        """
        count = len(self.kl)
        if count == 0:
            raise UsageError("no position was compared")
        worst = int(self.kl.argmax())
        before = self.reference.tokenizer.decode(self.tokens[max(0, worst - 15) : worst + 1], skip_special=False)
        percentiles = np.percentile(self.kl, PERCENTILES)
        return Divergence(
            count,
            float(self.kl.mean()),
            float(self.kl[worst]),
            before,
            dict(zip(PERCENTILES, map(float, percentiles), strict=True)),
            self._same / count,
            self._shared / (count * TOP),
            self.window,
            count == len(self.tokens),
        )

    def _add(self, p: "Float32", q: "Float32") -> None:
        self.kl = np.concatenate([self.kl, divergences(p, q)])
        self._same += int((p.argmax(axis=1) == q.argmax(axis=1)).sum())
        top_p, top_q = likeliest(p, TOP), likeliest(q, TOP)
        self._shared += int((top_p[:, :, None] == top_q[:, None, :]).sum())


def _common_vocabulary(reference: "Model", model: "Model", text: str) -> int:
    """Token ids that both models know; they must mean the same in both.

    Raises:
        LongraError: they do not.
    """
    one, other = reference.tokenizer, model.tokenizer
    known = min(one.vocabulary, other.vocabulary)
    unlike = next((i for i in range(known) if one.token_text(i) != other.token_text(i)), None)
    if unlike is not None:
        raise LongraError(
            f"the tokenizers differ, so that distributions cannot be compared: token {unlike:,} is "
            f"{one.token_text(unlike)!r} in {reference.name} and {other.token_text(unlike)!r} in {model.name}"
        )
    if one.encode(text) != other.encode(text):
        raise LongraError(f"{reference.name} and {model.name} have the same tokens and split this text differently")
    return min(reference.spec.vocabulary, model.spec.vocabulary)
