"""What a caller asks of the engine: texts that continue one prompt, or the logits of a text that there is."""

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass, field

from longra.arrays import Float32
from longra.engine.drafts import Drafts
from longra.engine.sequence import Sequence
from longra.sampling import Choice, Sampler


@dataclass(eq=False)
class Text:
    """One continuation.

    Attributes:
        index: its number among the prompt's continuations.
        sampler: chooses its tokens.
        most: new tokens at most.
        watch: called after each new token, by the thread that steps; it may finish the text. It must not block.
        choices: what was chosen so far; the last may end the text.
        finish_reason: None while it grows; then "stop" (an end token, or the watcher's word), "length" or "cancelled".
        sequence: its tokens and pages while it grows; None while it waits, and at the end.
        drafts: guesses how it goes on, where that may pay.
        drafted: guessed tokens that were run.
        accepted: those of them that were right.
        request: what it belongs to.
    """

    index: int
    sampler: Sampler
    most: int
    watch: "Callable[[Text], None] | None" = None
    choices: list[Choice] = field(default_factory=list)
    finish_reason: str | None = None
    sequence: Sequence | None = None
    drafts: Drafts | None = None
    drafted: int = 0
    accepted: int = 0
    request: "Request" = field(init=False, repr=False)

    @property
    def age(self) -> tuple[int, int]:
        """The older of two texts is the lesser."""
        return self.request.number, self.index

    def add(self, choice: Choice) -> None:
        """The text has grown by a token; see whether that ends it."""
        self.choices.append(choice)
        if choice.token in self.request.ends:
            self.finish("stop")
        elif len(self.choices) >= self.most:
            self.finish("length")
        if self.watch is not None:
            self.watch(self)

    def finish(self, reason: str) -> None:
        """The text is done; the engine takes its pages back before the next step."""
        self.finish_reason = reason


def nobody(_: object) -> None:
    """Nobody listens."""


@dataclass(eq=False)
class Request:
    """A prompt, its continuations, and whom to tell.

    Attributes:
        prompt: token ids, at least one.
        texts: one for each continuation; none to read the prompt only.
        ends: tokens that end a text.
        extended: whether prompt and text may grow beyond what plain rope frequencies hold.
        last: positions at the prompt's end whose logits are wanted.
        corpus: what texts may be drafted from besides prompt and text; None never drafts.
        take: gets these logits, where there are no texts, in blocks [n, vocabulary], by the thread that steps.
        notify: told of each text that has grown, and of None at the end.
        number: of its arrival.
        cached_tokens: of the prompt, that came from the prefix cache.
        read_tokens: of the prompt, that are in the cache by now.
        ended: no step will touch it any more.
        error: what ended it early, if something did.
    """

    prompt: Items[int]
    texts: list[Text]
    ends: frozenset[int] = frozenset()
    extended: bool = False
    last: int = 1
    corpus: Drafts | None = None
    take: Callable[[Float32], None] = nobody
    notify: Callable[[Text | None], None] = nobody
    number: int = field(default=0, init=False)
    cached_tokens: int = field(default=0, init=False)
    read_tokens: int = field(default=0, init=False)
    ended: bool = field(default=False, init=False)
    error: Exception | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        for text in self.texts:
            text.request = self

    @property
    def longest(self) -> int:
        """Tokens that one of its texts may put into the cache: the last one never goes there."""
        return len(self.prompt) + max((text.most for text in self.texts), default=1) - 1

    def cancel(self) -> None:
        """Finish what is not finished yet."""
        for text in self.texts:
            if text.finish_reason is None:
                text.finish("cancelled")
