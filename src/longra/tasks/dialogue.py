"""A conversation with a model: who said what, and what the model reads when it is its turn."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from longra.errors import ContextError, TemplateError, UsageError

if TYPE_CHECKING:
    from longra.model import Model
    from longra.sampling import GenerationConfig
    from longra.stream import Stream


@dataclass(frozen=True)
class Message:
    """Something that was said."""

    role: Literal["system", "user", "assistant"]
    content: str

    def as_json(self) -> dict[str, str]:
        """As chat templates and `Model.generate` take it."""
        return {"role": self.role, "content": self.content}


@dataclass
class Conversation:
    """A conversation whose history is sent whole at every turn: nothing is cut.

    A turn is `ask` (or `retry`), the iteration over the stream that it returns, and `keep`.

    Attributes:
        model: who answers.
        config: how; a seed in it grows by one at each turn, so that a second try differs and a second run does not.
        system: the system message, or None.
        messages: of the user and of the model, in turn.
    """

    model: "Model"
    config: "GenerationConfig"
    system: str | None = None
    messages: list[Message] = field(default_factory=list)
    _turns: int = 0
    _asked: str | None = None
    _history: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.model.template is None:
            raise TemplateError(
                f"{self.model.name} has no chat template, so it goes on with texts and does not answer; "
                "use `longra generate`, or choose an instructed model"
            )

    def ask(self, text: str) -> "Stream":
        """The model's answer to a message, about to be generated. The history stays as it is until `keep`.

        Raises:
            ContextError: history and message do not fit into the model's context.
            TemplateError: the model's chat template refuses them.
        """
        return self._stream(text, self.messages)

    def retry(self) -> "Stream":
        """Another answer to the last message, in place of the one that it got, if any.

        Raises:
            UsageError: nothing was asked yet.
        """
        if self._asked is None:
            raise UsageError("there is no message to answer again; type one")
        return self._stream(self._asked, self._history)

    def keep(self, answer: str) -> None:
        """Put the last message and its answer into the history; an empty answer changes nothing."""
        if self._asked is not None and answer:
            self.messages = [*self._history, Message("user", self._asked), Message("assistant", answer)]

    def clear(self) -> None:
        """Forget what was said; the system message stays."""
        self.messages, self._history, self._asked = [], [], None

    def with_system(self, messages: Sequence[Message]) -> list[Message]:
        """Messages after the system message, if there is one."""
        return [*([] if self.system is None else [Message("system", self.system)]), *messages]

    def _stream(self, text: str, history: list[Message]) -> "Stream":
        self._asked, self._history = text, history
        prompt = [message.as_json() for message in self.with_system([*history, Message("user", text)])]
        seed = self.config.seed
        config = self.config if seed is None else replace(self.config, seed=(seed + self._turns) % 2**64)
        try:
            stream = self.model.stream(prompt, config)
        except ContextError:
            count = len(self.model.encode(prompt))
            raise ContextError(
                f"the conversation with this message has {count:,} tokens and {self.model.name} holds "
                f"{self.model.spec.context:,}, the answer included; nothing was dropped: send a shorter message, "
                "or /save FILE and /clear to begin anew"
            ) from None
        self._turns += 1
        return stream
