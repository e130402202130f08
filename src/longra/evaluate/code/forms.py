"""How a problem is put to a model, and how what it writes becomes a program."""

import ast
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from longra.evaluate.begun import begun_ids
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
        asked = self._ASKED.replace("{problem}", problem.prompt.strip())
        return begun_ids(model, asked, self._BEGUN, chat=True)

    def parts(self, problem: Problem, answer: str) -> Sequence[str]:
        """The problem first, since tests use its helpers; then what the answer defines."""
        return problem.prompt, definitions(answer)


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


_DEFINES = (
    *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.Assign, ast.AnnAssign),
)


def definitions(text: str) -> str:
    """What a script defines: imports, functions, classes and variables of its longest beginning that is valid Python.

    Its own trials of what it defines, which may be wrong where that is right, are left out, as evalplus leaves them out.
    """
    lines = text.split("\n")
    for count in range(len(lines), 0, -1):
        try:
            tree = ast.parse("\n".join(lines[:count]))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        return ast.unparse(ast.Module([node for node in tree.body if isinstance(node, _DEFINES)], []))
    return text
