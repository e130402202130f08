"""How many drafted tokens to run beside those that are certain: as many as pay, by what was measured in this run."""

from collections.abc import Sequence as Items

from longra.engine.request import Text

DECODE_ROWS = 16
"""Rows of a step up to which drafts may be added."""

_GAIN = 1.15
"""Drafts are run where they promise so many times the tokens a second: below, noise decides."""

_FIRST_ROW = 0.25
"""First belief: a row more costs this share of a step of one row."""

_FASTER, _SLOWER = 0.5, 0.1
"""How much one step changes what its number of rows is thought to cost. A step may be slow because the machine was busy, the
first with so many rows above all; it is never fast by chance."""

_FORGET = 0.001
"""Each step, costs that were not measured come nearer to that of one row by this share, so that they are tried again."""


class StepTimes:
    """Seconds that a step takes with 1 to DECODE_ROWS rows, as far as it was seen."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}

    def add(self, rows: int, seconds: float) -> None:
        """A step with so many rows took so long."""
        one = self._seconds.get(1)
        for other, known in self._seconds.items():
            if one is not None and other not in (1, rows):
                self._seconds[other] = known + (one - known) * _FORGET
        known = self.expect(rows) or seconds
        self._seconds[rows] = known + (seconds - known) * (_FASTER if seconds < known else _SLOWER)

    def expect(self, rows: int) -> float | None:
        """Seconds of a step with so many rows; None before one of a single row was seen.

        Between and beyond what was seen, each row costs the same more.
        """
        one = self._seconds.get(1)
        if one is None or rows in self._seconds:
            return self._seconds.get(rows)
        below = max((known for known in self._seconds if known < rows), default=1)
        above = min((known for known in self._seconds if known > rows), default=None)
        low = self._seconds[below]
        if above is not None:
            return low + (self._seconds[above] - low) * (rows - below) / (above - below)
        each = (low - one) / (below - 1) if below > 1 else one * _FIRST_ROW
        return low + max(0.0, each) * (rows - below)


class Speculation:
    """Chooses drafts for texts that grow together.

    A drafted token is run as one more row of its text; its row's logits are of use if all tokens before it were
    guessed right. So the text does not depend on drafts: each token is chosen from the logits that it would have had.
    """

    def __init__(self) -> None:
        self.times = StepTimes()

    def choose(self, texts: Items[Text], rows: int) -> list[list[int]]:
        """Drafted tokens for each of some texts, in a step that has so many rows without them."""
        guesses = [self._guess(text, DECODE_ROWS - rows) for text in texts]
        chances = sorted((chance for guess in guesses for _, chance in guess), reverse=True)
        least = self._least_chance(chances[: DECODE_ROWS - rows], rows)
        return [[token for token, chance in guess if chance >= least] for guess in guesses]

    @staticmethod
    def _guess(text: Text, room: int) -> list[tuple[int, float]]:
        """What a text could be drafted; never beyond the last token that it may have."""
        corpus = text.request.corpus
        if text.sequence is None or corpus is None or room <= 0:
            return []
        if text.drafts is None:
            text.drafts = corpus.fork()
        for token in text.sequence.tokens[text.drafts.followed :]:
            text.drafts.add(token)
        return text.drafts.guess(min(room, text.most - len(text.choices) - 1))

    def _least_chance(self, chances: Items[float], rows: int) -> float:
        """The chance down to which drafts pay: that which gives the most tokens a second; above 1 if none do."""
        alone = self.times.expect(rows)
        if alone is None:
            return 2.0
        best, least, tokens = _GAIN * rows / alone, 2.0, float(rows)
        for count, chance in enumerate(chances, 1):
            tokens += chance
            seconds = self.times.expect(rows + count)
            if seconds and tokens / seconds > best:
                best, least = tokens / seconds, chance
        return least
