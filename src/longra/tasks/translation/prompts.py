"""What a model reads to translate a sentence.

For a chat the context is the conversation so far: each earlier sentence is a turn of the user's, made by the template as
this one is, and its translation the answer. So a prompt begins with the one before it and its answer, all in the prefix
cache. A base model's template puts the context where it wants it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from longra.tasks.prompting import Prompt
from longra.tasks.template import Template
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
    _past_turns: dict[Pair, tuple[dict[str, str], ...]] = field(default_factory=dict, repr=False)

    def prompt(self, text: str, context: Sequence[Pair], shown: str | None = None, keep: Sequence[str] = ()) -> Prompt:
        """The prompt for a sentence.

        Args:
            context: sentences before it, with their translations.
            shown: the sentence as the model is to see it, where that is another way.
            keep: what the translation must have, to be said once more.
        """
        if not self.chat:
            pairs = [pair._asdict() for pair in context]
            return self.template.prompt(False, **self._fields(text, shown), context=pairs, keep=keep)
        messages = self._turn(text, shown, keep)
        first = 1 if messages[0]["role"] == "system" else 0
        return [*messages[:first], *(turn for pair in context for turn in self._past(pair, first)), *messages[first:]]

    def parts(self, text: str, context: Sequence[Pair]) -> list[Any]:
        """All that the prompts for a sentence depend on."""
        form = self.template.chat if self.chat else self.template.base
        shown = [self._fields(sentence, None) for sentence in (text, *(pair.source for pair in context))]
        return [form and dict(form), shown, [pair.target for pair in context]]

    def _past(self, pair: Pair, first: int) -> tuple[dict[str, str], ...]:
        """An earlier sentence and the answer to it, which begins as the template says. Rendering takes milliseconds."""
        if pair not in self._past_turns:
            user, *begun = self._turn(pair.source)[first:]
            answer = (begun[0]["content"] if begun else "") + pair.target
            self._past_turns[pair] = (user, {"role": "assistant", "content": answer})
        return self._past_turns[pair]

    def _turn(self, text: str, shown: str | None = None, keep: Sequence[str] = ()) -> list[dict[str, str]]:
        messages = self.template.prompt(True, **self._fields(text, shown), keep=keep)
        assert not isinstance(messages, str)
        return messages

    def _fields(self, text: str, shown: str | None) -> dict[str, Any]:
        return {
            "text": text if shown is None else shown,
            "source": self.source.name if self.source else "",
            "target": self.target.name,
            "glossary": [{"source": term.source, "target": term.target} for term in self.glossary.in_text(text)],
        }
