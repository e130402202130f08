"""What a caller asks of the engine: texts that continue one prompt."""

from collections.abc import Sequence as Items
from dataclasses import dataclass, field

from longra.engine.sequence import Sequence
from longra.sampling import Choice, Sampler


@dataclass(eq=False)
class Text:
    """One continuation.

    Attributes:
        index: its number among the prompt's continuations.
        sampler: chooses its tokens.
        most: new tokens at most.
        choices: what was chosen so far; the last may end the text.
        finish_reason: None while it grows; then "stop" (an end token, or the caller's word), "length" or "cancelled".
    """

    index: int
    sampler: Sampler
    most: int
    sequence: Sequence | None = None
    choices: list[Choice] = field(default_factory=list)
    finish_reason: str | None = None

    def finish(self, reason: str) -> None:
        """The text is done; its pages go back."""
        self.finish_reason = reason
        if self.sequence is not None:
            self.sequence.release()
            self.sequence = None


@dataclass(eq=False)
class Request:
    """A prompt and its continuations.

    Attributes:
        prompt: token ids, at least one.
        texts: one for each continuation.
        ends: tokens that end a text.
        extended: whether prompt and text may grow beyond what plain rope frequencies hold.
    """

    prompt: Items[int]
    texts: list[Text]
    ends: frozenset[int]
    extended: bool = False

    @property
    def done(self) -> bool:
        """Whether every continuation is finished."""
        return all(text.finish_reason is not None for text in self.texts)

    def cancel(self, reason: str = "cancelled") -> None:
        """Finish what is not finished yet."""
        for text in self.texts:
            if text.finish_reason is None:
                text.finish(reason)
