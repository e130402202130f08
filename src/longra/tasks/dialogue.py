"""A conversation with a model: who said what, and what the model reads when it is its turn."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from longra.errors import ContextError, TemplateError, UsageError
from longra.tasks.messages import Message, Turn, messages_of
from longra.tasks.summary import Summariser, Summary, most_tokens

if TYPE_CHECKING:
    from longra.generation.stream import Stream
    from longra.model import Model
    from longra.sampling import GenerationConfig
    from longra.tasks.chat_log import Logged
    from longra.tasks.record import Record

__all__ = ["Conversation", "Message", "Turn"]


def _nobody(_: str) -> None:
    """Nobody is told."""


@dataclass
class Conversation:
    """A conversation whose turns are sent word for word. When they no longer fit, the oldest are sent as a summary.

    A turn is `ask` (or `retry`), the iteration over the stream that it returns, and `keep`.

    Room is made when what the model reads, with the answer that it may give (at most half of the context), is longer
    than the context: then enough of the oldest turns are summarised to halve what there is room for, so that it does not
    happen at every turn. The system message, the latest turns and the message are always sent word for word.

    Attributes:
        model: who answers.
        config: how; a seed in it grows by one at each turn, so that a second try differs and a second run does not.
        system: the system message, or None.
        record: where the conversation is kept, turn by turn; None to keep nothing.
        tell: called with a line that says what is summarised, before and after.
        turns: all that were answered.
        summary: what is sent in place of the oldest turns, or None.
    """

    model: "Model"
    config: "GenerationConfig"
    system: str | None = None
    record: "Record | None" = None
    tell: Callable[[str], None] = _nobody
    turns: list[Turn] = field(default_factory=list)
    summary: Summary | None = None
    _answers: int = 0
    _asked: str | None = None
    _before: list[Turn] = field(default_factory=list)
    _number: int | None = None

    def __post_init__(self) -> None:
        if self.model.template is None:
            raise TemplateError(
                f"{self.model.name} has no chat template, so it goes on with texts and does not answer; "
                "use `longra generate`, or choose an instructed model"
            )

    @property
    def messages(self) -> list[Message]:
        """All that was said, by user and model in turn."""
        return messages_of(self.turns)

    @property
    def read(self) -> list[Message]:
        """What the model reads of it: the system message, the summary, and the turns that it does not stand for."""
        return self._prompt(self.turns, self.summary)

    def ask(self, text: str) -> "Stream":
        """The model's answer to a message, about to be generated. The turns stay as they are until `keep`.

        Raises:
            ContextError: system message and message alone do not fit into the model's context.
            TemplateError: the model's chat template refuses them.
        """
        return self._stream(text, self.turns)

    def retry(self) -> "Stream":
        """Another answer to the last message, in place of the one that it got, if any.

        Raises:
            UsageError: nothing was asked yet.
        """
        if self._asked is None:
            raise UsageError("there is no message to answer again; type one")
        return self._stream(self._asked, self._before)

    def keep(self, answer: str, finish_reason: str = "stop") -> None:
        """Put the last message and its answer among the turns; an empty answer changes nothing."""
        if self._asked is None or not answer:
            return
        self.turns = [*self._before, Turn(self._asked, answer, self._number)]
        if self.record is not None:
            self.record.answer(self._number, answer, finish_reason)

    def resume(self, logged: "Logged") -> None:
        """Go on from a kept conversation: its turns, its summary, and its last message if that got no answer."""
        branch = logged.branch
        self.turns = [Turn(turn.question, turn.answer or "", turn.id) for turn in branch]
        for count, turn in enumerate(branch, 1):
            if turn.summary is not None:
                self.summary = Summary(turn.summary, count, turn.summary_tokens or 0)
        if logged.unanswered is not None:
            self._asked, self._before = logged.unanswered.question, self.turns
        elif self.turns:
            self._asked, self._before = self.turns[-1].question, self.turns[:-1]

    def clear(self) -> None:
        """Forget what was said; the system message stays. What is kept stays, and what follows is kept apart."""
        self.turns, self.summary, self._before, self._asked = [], None, [], None
        if self.record is not None:
            self.record.begin_anew()

    def with_system(self, messages: Sequence[Message]) -> list[Message]:
        """Messages after the system message, if there is one."""
        return [*([] if self.system is None else [Message("system", self.system)]), *messages]

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens that the model reads for messages, with those that make it answer."""
        return len(self.model.encode([message.as_json() for message in messages]))

    def _stream(self, text: str, before: list[Turn]) -> "Stream":
        oldest = self._must_go(text, before)
        self._asked, self._before = text, before
        if self.record is not None:
            self._number = self.record.ask(before[-1].number if before else None, text, self.system)
        if oldest:
            self._summarise(before, oldest)
        seed = self.config.seed
        config = self.config if seed is None else replace(self.config, seed=(seed + self._answers) % 2**64)
        stream = self.model.stream([message.as_json() for message in self._prompt(before, self.summary, text)], config)
        self._answers += 1
        return stream

    def _prompt(self, turns: Sequence[Turn], summary: Summary | None, text: str | None = None) -> list[Message]:
        """What the model reads when a message comes after these turns."""
        rest = messages_of(turns if summary is None else turns[summary.turns :])
        asked = [] if text is None else [Message("user", text)]
        return self.with_system([*(summary.messages if summary else []), *rest, *asked])

    def _must_go(self, text: str, before: list[Turn]) -> int:
        """How many of the oldest turns a summary must stand for, so that there is room for a message and its answer.

        0 where there is room as it is, or where a summary would make none.

        Raises:
            ContextError: the message does not fit with a summary of all turns, or alone if there are none.
        """
        context = self.model.spec.context
        answer = min(self.config.max_tokens, context // 2)
        whole = self.count_tokens(self._prompt(before, self.summary, text))
        if whole + answer <= context:
            return 0
        done = 0 if self.summary is None else self.summary.turns

        def shortened(turns: int) -> int:
            """Tokens with a summary of so many turns."""
            return self.count_tokens(self._prompt(before, Summary("", turns, 0), text)) + most_tokens(context)

        if done < len(before) and shortened(len(before)) < context:
            more = range(done + 1, len(before))
            return done + 1 + bisect_left(more, True, key=lambda turns: shortened(turns) <= (context - answer) // 2)
        if whole < context:
            return 0
        raise self._too_long(text, before)

    def _too_long(self, text: str, before: list[Turn]) -> ContextError:
        count, context = self.count_tokens(self._prompt([], None, text)), self.model.spec.context
        summary = f" and a summary of what was said before, {most_tokens(context):,} at most," if before else ""
        return ContextError(
            f"the message has {count:,} tokens{' with the system message' if self.system else ''} and {self.model.name} "
            f"holds {context:,}, the answer{summary} included; nothing was dropped: send a shorter one, or pass --context "
            "to hold more"
        )

    def _summarise(self, before: list[Turn], count: int) -> None:
        """Have a summary stand for the first `count` turns."""
        done = 0 if self.summary is None else self.summary.turns
        replaced = self.count_tokens(self._prompt(before[:count], self.summary))
        self.tell(f"summarising {_turns(count)}, {replaced:,} tokens, to make room ...")
        self.summary = Summariser(self.model, self.system).summarise(before[done:count], self.summary)
        if self.record is not None:
            self.record.summarise(before[count - 1].number, self.summary.text, self.summary.tokens)
        self.tell(
            f"the model now reads {self.summary.tokens:,} tokens in place of the first {_turns(count)}; nothing is lost: "
            "/history shows what it reads, /save keeps all"
        )


def _turns(count: int) -> str:
    return "turn" if count == 1 else f"{count:,} turns"
