"""What conversations are made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Message:
    """Something that was said."""

    role: Literal["system", "user", "assistant"]
    content: str

    def as_json(self) -> dict[str, str]:
        """As chat templates and `Model.generate` take it."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True)
class Turn:
    """A message of the user and its answer.

    Attributes:
        number: in the log; None where it is not kept.
    """

    question: str
    answer: str
    number: int | None = None


def messages_of(turns: Iterable[Turn]) -> list[Message]:
    """Turns as the messages of user and model, one after the other."""
    return [
        message for turn in turns for message in (Message("user", turn.question), Message("assistant", turn.answer))
    ]
