"""Writes code: from an instruction, on from the code before a place, or between two pieces of code."""

from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longra.errors import UsageError
from longra.generation.result import Result
from longra.tasks.coding.blocks import function_end
from longra.tasks.coding.infill import infill_of
from longra.tasks.coding.languages import Language, guess_language, language_named
from longra.tasks.pieces import Pieces
from longra.tasks.plan import Plan
from longra.tasks.template import Template

if TYPE_CHECKING:
    from longra.model import Model
    from longra.sampling import GenerationConfig


@dataclass(frozen=True)
class CodePlan(Plan):
    """What is about to be written.

    Attributes:
        before, after: code around it, which is part of the result.
        language: its language, if known.
        whole: the model ends it; else it ends with a function.
    """

    before: str = ""
    after: str = ""
    language: Language | None = None
    whole: bool = False

    @property
    def names_language(self) -> bool:
        """Whether the answer begins behind the marks of a fence, so that the model names the language first."""
        last = None if isinstance(self.prompt, str) else self.prompt[-1]
        return isinstance(last, Mapping) and last["role"] == "assistant" and str(last["content"]).endswith("```")

    def begin(self, number: int = 0) -> "Coding":
        """Begin to write; another number is another try, with the seed so much later."""
        return Coding(self, number)


class Coding(Pieces):
    """Code under way: an iterator over pieces of it, whole lines; the first is the code before the place, if there is any.

    Leave it early by `close`; an exception while a piece is awaited (KeyboardInterrupt too) closes it.
    """

    def __init__(self, plan: CodePlan, number: int = 0) -> None:
        self._plan = plan
        seed = plan.config.seed
        config = plan.config if seed is None else replace(plan.config, seed=(seed + number) % 2**64)
        self._stream = replace(plan, config=config).stream()
        self._language = plan.language
        self._names = plan.names_language
        self._written = ""
        self._ended = False
        self._shown = 0
        self._pieces = self._write()

    def close(self) -> None:
        """End the code now; `result` has what there is."""
        self._pieces.close()
        self._stream.close()

    @property
    def result(self) -> Result:
        """The code so far, what is around it included; `extra["completion"]` is the model's part of it."""
        result = self._stream.result
        code = self._plan.before + self._written + self._plan.after
        reason = "stop" if self._ended else result.finish_reason
        sequence = replace(result.sequences[0], text=code, finish_reason=reason)
        language = self._language.name if self._language else None
        return replace(result, sequences=(sequence,), extra={"completion": self._written, "language": language})

    def _write(self) -> Generator[str]:
        yield self._plan.before
        try:
            for piece in self._stream:
                self._written += piece
                if "\n" not in piece:
                    continue
                if self._names:
                    self._take_name()
                if self._cut():
                    break
                yield self._lines()
        finally:
            self._stream.close()
        if not self._ended:
            self._cut(last=True)
        yield self._written[self._shown :] + self._plan.after

    def _take_name(self) -> None:
        """The first line, behind the marks of a fence, is no code."""
        name, _, self._written = self._written.partition("\n")
        self._names = False
        with suppress(UsageError):  # a language that is not known here
            self._language = language_named(name)

    def _cut(self, last: bool = False) -> bool:
        """Whether the code has come to its end; what is beyond is gone then.

        Args:
            last: nothing more will come, so the last line is whole.
        """
        plan, written = self._plan, self._written + ("\n" if last else "")
        ends = [None if plan.whole else function_end(plan.before, written, self._language), self._after_begins(written)]
        found = [end for end in ends if end is not None]
        if found:
            self._written, self._ended = written[: min(found)], True
        return self._ended

    def _after_begins(self, written: str) -> int | None:
        """Where the model goes on with the code after the gap, which it should not."""
        after = self._plan.after
        line = next((line for line in after.splitlines() if len(line.strip()) > 1), None)
        place = -1 if line is None else written.find(f"\n{line}\n")
        return None if place < 0 else place + (0 if after.startswith("\n") else 1)

    def _lines(self) -> str:
        """Whole lines that are not shown yet; comments and blank lines wait for what stands below them."""
        lines = self._written.splitlines(keepends=True)
        comment = self._language.comment if self._language else "#"
        lines = lines if self._written.endswith("\n") else lines[:-1]
        while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith(comment)):
            lines.pop()
        settled = "".join(lines).rstrip()
        fresh, self._shown = settled[self._shown :], max(self._shown, len(settled))
        return fresh


def plan_code(
    model: "Model",
    request: str = "",
    before: str = "",
    after: str = "",
    *,
    language: Language | str | None = None,
    template: Template | str | Path = "code",
    chat: bool | None = None,
    system: str | None = None,
    config: "GenerationConfig | None" = None,
    **parameters: Any,
) -> CodePlan:
    """What `code` is about to do; see there."""
    if not (request or before or after):
        raise UsageError("there is neither an instruction nor code; give at least one")
    if request and after:
        raise UsageError("an instruction and code after a gap do not go together; give one of them")
    chosen = template if isinstance(template, Template) else Template.load(template, task="code")
    if isinstance(language, str):
        language = language_named(language)
    language = language or guess_language(before + after)
    told = {
        "request": request,
        "code": before,
        "lang": language.name if language else "",
        "comment": language.comment if language else "#",
    }
    if after:
        prompt = infill_of(model).prompt(model.tokenizer, before, after)
        asked = chosen.config(False, config, **parameters)
        return CodePlan(model, chosen, told, prompt, asked, before, after, language)
    answers = bool(request) and (model.template is not None if chat is None else chat)
    around = {"before": "" if answers else before, "language": language, "whole": answers}
    return CodePlan.of(model, chosen, told, answers, system, config, parameters, **around)


def code(model: "Model", request: str = "", before: str = "", after: str = "", **how: Any) -> Coding:
    """Write code.

        print(code(model, before="def fib(n):").wait().text)

    Args:
        request: what the code is to do; a model without a chat template reads it as a comment.
        before: code to go on with, or what the request is about. It ends with the function that is open at its end, or
            else with the first that the model begins, where the language has a rule for that.
        after: code after a gap, which is filled by the tokens that the model has for it.
        how: `language`, its name; `template`, the name or file of a task template; `chat` and `system` as in
            `Model.generate`; `config` and fields of `GenerationConfig`, in place of the template's.

    Returns:
        code under way: iterate over its pieces, or `wait()` for its result.

    Raises:
        ContextError: it does not fit into the context.
        TemplateError, UsageError: the template is wrong or not for this model, the model cannot fill gaps, the language is
            not known, or a parameter is out of range.
    """
    return plan_code(model, request, before, after, **how).begin()
