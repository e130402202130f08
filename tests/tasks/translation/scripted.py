"""A translator whose model says what a test wants; all around the model is real."""

import threading
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

from longra.sampling import GenerationConfig
from longra.tasks.prompting import Prompt
from longra.tasks.template import Template
from longra.tasks.translation import Glossary, language
from longra.tasks.translation.context import Pair
from longra.tasks.translation.prompts import Prompts
from longra.tasks.translation.translator import StoppedError, Translator

Answer = Callable[[str], str]
"""What is asked to be translated -> what the model says."""

_MODEL = SimpleNamespace(name="scripted", spec=None, weights=None, tokenizer=SimpleNamespace(encode=lambda t, **_: t))


class Scripted(Translator):
    """Answers as a function says.

    Attributes:
        asked: each prompt and configuration, in order.
    """

    def __init__(self, answer: Answer, glossary: Glossary | None = None, chat: bool = True, **given: Any) -> None:
        template = Template.load("translate", "translate")
        super().__init__(
            cast(Any, _MODEL), Prompts(template, chat, language("en"), language("zh"), glossary or Glossary()), given
        )
        self.answer = answer
        self.asked: list[tuple[Prompt, GenerationConfig]] = []
        self._own = threading.Lock()

    def _answer(self, prompt: Prompt, config: GenerationConfig) -> tuple[str, int | None]:
        if self._stopped:
            raise StoppedError
        with self._own:
            self.asked.append((prompt, config))
        text = self.answer(last(prompt))
        return text.removesuffix("<cut>"), config.max_tokens if text.endswith("<cut>") else None


def last(prompt: Prompt) -> str:
    """What a prompt asks to translate."""
    text = prompt if isinstance(prompt, str) else str(prompt[-1]["content"])
    return text.removesuffix("\nChinese:").split("\n")[-1].removeprefix("English: ")


def in_turn(*answers: str) -> Answer:
    """Answers one after the other."""
    left = list(answers)
    return lambda _: left.pop(0)


def pairs(*texts: str) -> Sequence[Pair]:
    """Sentences with translations."""
    return [Pair(text, f"译{text}") for text in texts]
