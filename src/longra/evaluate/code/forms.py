"""How a problem is put to a model, and how what it writes becomes a program."""

import ast
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from longra.errors import TemplateError
from longra.evaluate.code.problems import Problem

if TYPE_CHECKING:
    from longra.model import Model


class Form(ABC):
    """A way to ask.

    Attributes:
        name: "instruct" or "completion".
        text: the prompt, with {problem} for the problem's own text.
        stop: strings that end an answer; not part of it.
    """

    name: ClassVar[str]
    text: ClassVar[str]
    stop: ClassVar[tuple[str, ...]]

    @abstractmethod
    def ids(self, model: "Model", problem: Problem) -> list[int]:
        """Token ids to continue."""

    @abstractmethod
    def parts(self, problem: Problem, answer: str) -> Sequence[str]:
        """Programs to run one after the other, in one namespace, before the tests."""


class Instruct(Form):
    """The prompt with which evalplus asks chat models, and Qwen2.5-Coder's authors with it.

    The answer is begun for the model, so that it goes on inside a block of code.
    """

    name = "instruct"
    _ASKED = (
        "Please provide a self-contained Python script that solves the following problem in a markdown code block:\n"
        "```\n{problem}\n```\n"
    )
    _BEGUN = (
        "Below is a Python script with a self-contained function that solves the problem and passes corresponding "
        "tests:\n```python\n"
    )
    text = f"user: {_ASKED}assistant: {_BEGUN}"
    stop = ("\n```", "\nif __name__", "\ndef main(", "\nprint(")

    def ids(self, model: "Model", problem: Problem) -> list[int]:
        """The chat, and the beginning of its answer.

        Raises:
            TemplateError: the model has no chat template.
        """
        if model.template is None:
            raise TemplateError(f"{model.name} has no chat template; pass --raw to have it complete the functions")
        message = {"role": "user", "content": self._ASKED.replace("{problem}", problem.prompt.strip())}
        return model.tokenizer.encode(model.template.render([message]) + self._BEGUN, add_special=False)

    def parts(self, problem: Problem, answer: str) -> Sequence[str]:
        """The problem first, since tests use its helpers; then all lines of the answer that are Python together."""
        return problem.prompt, longest_program(answer)


class Completion(Form):
    """The problem's text itself, to be gone on with, up to the next thing in the first column (Chen et al. 2021)."""

    name = "completion"
    text = "{problem}"
    stop = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")

    def ids(self, model: "Model", problem: Problem) -> list[int]:
        """The text, with the tokenizer's own beginning."""
        return model.tokenizer.encode(problem.prompt)

    def parts(self, problem: Problem, answer: str) -> Sequence[str]:
        """The function that the problem begins and the answer ends."""
        return (problem.prompt + answer,)


def longest_program(text: str) -> str:
    """The most lines from the beginning that are valid Python; the whole where none are."""
    lines = text.split("\n")
    for count in range(len(lines), 0, -1):
        program = "\n".join(lines[:count])
        try:
            if ast.parse(program).body:
                return program
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return text
