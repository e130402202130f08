"""What takes the place of a conversation's oldest turns when they no longer fit: a summary by the model itself."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from longra.errors import ContextError
from longra.sampling import GenerationConfig
from longra.tasks.messages import Message, Turn, messages_of
from longra.text.script import scripts_of
from longra.text.tidy import tidy

if TYPE_CHECKING:
    from longra.model import Model

_MOST_TOKENS = 512
_SHARE = 8
"""A summary takes at most this part of the context."""
_LEAST_TOKENS = 8
"""So that a model that would say nothing says something."""
_UNITS_PER_TOKEN = 0.6
"""Words or characters to ask for, so that most summaries end by themselves."""


@dataclass(frozen=True)
class _Words:
    """What the model is told, in one language.

    Attributes:
        request: asks for a summary of {length} words.
        heading: stands before the summary afterwards, as if this had been asked.
        parts: role -> what introduces a part of a message of that role, where a whole turn is too long to be read at once.
    """

    request: str
    heading: str
    parts: dict[str, str]


_ENGLISH = _Words(
    "Summarise our conversation so far in at most {length} words, so that you could go on from the summary alone: names, "
    "facts, what I asked for, what was decided. Write the summary and nothing else.",
    "Summarise what we said before.",
    {"user": "A part of what I said:\n", "assistant": "A part of what you said:\n"},
)
_CHINESE = _Words(
    "请用不超过{length}个字概括我们到目前为止的对话，使你只凭概括就能接着谈：人名、事实、我的要求、已有的结论。只写概括。",
    "请概括我们在此之前的对话。",
    {"user": "我说过的话的一部分：\n", "assistant": "你说过的话的一部分：\n"},
)


@dataclass(frozen=True)
class Summary:
    """A summary of the beginning of a conversation.

    Attributes:
        text: what it says.
        turns: how many turns, from the first, it stands for.
        tokens: of its text.
    """

    text: str
    turns: int
    tokens: int

    @property
    def messages(self) -> list[Message]:
        """What the model reads: that it was asked for a summary, and gave it."""
        return [Message("user", _words_for(self.text).heading), Message("assistant", self.text)]


def most_tokens(context: int) -> int:
    """The most tokens of a summary in a context of this many."""
    return max(1, min(_MOST_TOKENS, context // _SHARE))


@dataclass(frozen=True)
class _Part:
    """Some of a message that is too long to be read at once."""

    role: str
    text: str


class Summariser:
    """Makes summaries.

    Args:
        model: who reads and writes.
        system: the message that comes before all, or None.
    """

    def __init__(self, model: "Model", system: str | None) -> None:
        self._model = model
        self._system = [] if system is None else [Message("system", system)]
        self._most = most_tokens(model.spec.context)

    def summarise(self, turns: Sequence[Turn], earlier: Summary | None) -> Summary:
        """One summary of an earlier one and of the turns after it, of which there is at least one.

        As many turns as fit are read at once and as they were said, so that what the prefix cache holds is not read again.
        A turn that is too long for that is read in parts.

        Raises:
            ContextError: the context is too small to read even a part of them.
        """
        words = _words_for("\n".join(f"{turn.question}\n{turn.answer}" for turn in turns))
        rest: list[Turn | _Part] = list(turns)
        total = len(turns) + (earlier.turns if earlier else 0)
        summary = earlier
        while rest:
            count = self._fitting(rest, summary, words)
            if count:
                summary = self._written(self._prompt(rest[:count], summary, words), total)
                rest = rest[count:]
            else:
                rest[:1] = self._split(rest[0])
        assert summary is not None
        return summary

    def _prompt(self, read: Sequence[Turn | _Part], earlier: Summary | None, words: _Words) -> list[Message]:
        """What makes the model summarise an earlier summary and turns, or a part of one."""
        request = words.request.format(length=max(10, int(self._most * _UNITS_PER_TOKEN) // 10 * 10))
        turns = messages_of(item for item in read if isinstance(item, Turn))
        parts = [f"{words.parts[item.role]}{item.text}" for item in read if isinstance(item, _Part)]
        before = [*self._system, *(earlier.messages if earlier else [])]
        return [*before, *turns, Message("user", "\n\n".join([*parts, request]))]

    def _fitting(self, rest: Sequence[Turn | _Part], earlier: Summary | None, words: _Words) -> int:
        """How many of the first turns can be read at once, their summary included; of parts one at most."""
        whole = next((i for i, item in enumerate(rest) if isinstance(item, _Part)), len(rest))

        def too_long(count: int) -> bool:
            prompt = [message.as_json() for message in self._prompt(rest[:count], earlier, words)]
            return len(self._model.encode(prompt)) + self._most > self._model.spec.context

        return bisect_left(range(1, (whole or 1) + 1), True, key=too_long)

    def _split(self, item: Turn | _Part) -> list[Turn | _Part]:
        """A turn's two messages, or a message's two halves."""
        if isinstance(item, Turn):
            return [_Part("user", item.question), _Part("assistant", item.answer)]
        middle = len(item.text) // 2
        if middle == 0:
            raise ContextError(
                f"{self._model.name} holds {self._model.spec.context:,} tokens, too few to summarise the conversation; "
                "pass --context with more, or /save FILE and /clear to begin anew"
            )
        middle = item.text.rfind(" ", 0, middle) + 1 or middle
        return [_Part(item.role, item.text[:middle]), _Part(item.role, item.text[middle:])]

    def _written(self, prompt: list[Message], turns: int) -> Summary:
        """The model's summary, without an unfinished sentence at its end."""
        config = GenerationConfig(temperature=0, max_tokens=self._most, min_tokens=min(_LEAST_TOKENS, self._most))
        written = self._model.generate([message.as_json() for message in prompt], config)
        text = self._bounded(tidy(written.text.strip(), "loops,sentence").text)
        if not text:
            raise ContextError(
                f"{self._model.name} summarised the conversation in no words; nothing was dropped: pass --context to hold "
                "more, or /save FILE and /clear to begin anew"
            )
        return Summary(text, turns, self._count(text))

    def _bounded(self, text: str) -> str:
        """A text that is short enough when it is read again, where damaged characters take more tokens than written."""
        while (tokens := self._count(text)) > self._most:
            text = text[: len(text) * self._most // tokens]
        return text

    def _count(self, text: str) -> int:
        return len(self._model.tokenizer.encode(text, add_special=False))


def _words_for(text: str) -> _Words:
    """In Chinese where most of a text is."""
    return _CHINESE if [script for script, _ in scripts_of(text).most_common(1)] == ["Han"] else _ENGLISH
