"""What a model reads to translate a sentence.

For a chat the context is the conversation so far: each earlier sentence is a turn of the user's, made by the template as
this one is, and its translation the answer. So a prompt begins with the one before it and its answer, all in the prefix
cache. A base model's template puts the context where it wants it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from longra.tasks.prompting import Prompt
from longra.tasks.template import Message, Template
from longra.tasks.translation.context import Pair
from longra.tasks.translation.glossary import Glossary
from longra.tasks.translation.languages import Language


@dataclass(frozen=True)
class Prompts:
    """Makes prompts.

    Attributes:
        template: for the task translate.
        chat: whether the model has a chat template.
        source, target: languages; the source's is None if it is not known.
        glossary: whose terms are shown with each sentence in which they occur.
    """

    template: Template
    chat: bool
    source: Language | None
    target: Language
    glossary: Glossary
    _turns: dict[str, list[Message]] = field(default_factory=dict, repr=False)  # rendering takes milliseconds

    def prompt(self, text: str, context: Sequence[Pair], shown: str | None = None, keep: Sequence[str] = ()) -> Prompt:
        """The prompt for a sentence.

        Args:
            context: sentences before it, with their translations.
            shown: the sentence as the model is to see it, where that is another way.
            keep: what the translation must have, to be said once more.
        """
        fields = self._fields(text, shown)
        if not self.chat:
            pairs = [pair._asdict() for pair in context]
            return self.template.prompt(False, **fields, context=pairs, keep=keep)
        system, now = _parted(self._turn(text) if shown is None else self._rendered(fields, keep))
        return [*system, *(message for pair in context for message in self._past(pair)), *now]

    def parts(self, text: str, context: Sequence[Pair]) -> list[Any]:
        """All that the prompts for a sentence depend on."""
        form = self.template.chat if self.chat else self.template.base
        shown = [self._fields(sentence, None) for sentence in (text, *(pair.source for pair in context))]
        return [form and dict(form), shown, [pair.target for pair in context]]

    def _past(self, pair: Pair) -> list[Message]:
        """An earlier sentence and the answer to it, which begins as the template says."""
        _, (user, *begun) = _parted(self._turn(pair.source))
        answer = (begun[0]["content"] if begun else "") + pair.target
        return [user, {"role": "assistant", "content": answer}]

    def _turn(self, text: str) -> list[Message]:
        if text not in self._turns:
            self._turns[text] = self._rendered(self._fields(text, None))
        return self._turns[text]

    def _rendered(self, fields: dict[str, Any], keep: Sequence[str] = ()) -> list[Message]:
        messages = self.template.prompt(True, **fields, keep=keep)
        assert not isinstance(messages, str)
        return messages

    def _fields(self, text: str, shown: str | None) -> dict[str, Any]:
        return {
            "text": text if shown is None else shown,
            "source": self.source.name if self.source else "",
            "target": self.target.name,
            "glossary": [{"source": term.source, "target": term.target} for term in self.glossary.in_text(text)],
        }


def _parted(messages: list[Message]) -> tuple[list[Message], list[Message]]:
    """The system message, if there is one, and the others."""
    first = 1 if messages[0]["role"] == "system" else 0
    return messages[:first], messages[first:]
