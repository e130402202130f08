"""The task *text*: write to an instruction, or go on with a text, at a length.

A model ends a long text where it likes, mostly early, and a small one may begin to go round in circles. So a text of a
given length is written in rounds. A round ends when the model does, or when a paragraph repeats what there is; that
paragraph is not taken. The next round asks the model to go on (a chat), or opens the next paragraph for it.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from longra.errors import ContextError
from longra.generation.result import Result, joined
from longra.generation.stream import Stream
from longra.sampling.config import configured
from longra.tasks.goal import Goal, goal_for
from longra.tasks.manuscript import Manuscript
from longra.tasks.plan import Plan
from longra.tasks.prompting import Prompt, begin
from longra.tasks.template import Template

if TYPE_CHECKING:
    from longra.model import Model
    from longra.sampling import GenerationConfig

End = Literal["reached", "stop", "repetition", "context", "interrupted"]

PATIENCE = 3
"""Rounds in a row that bring next to nothing; then the text is left as it is."""

LEAST_ROUND = 8
"""Words or characters that a round must bring, or a hundredth of the length if that is more."""

MOST_TOKENS = 12
"""For each word or character that is wanted; scripts that a vocabulary hardly knows take about so many."""


class Writing:
    """A text under way: an iterator over pieces of it; `result` has what there is.

    A piece comes for each token, and is empty until a paragraph is finished, for it may turn out to repeat another.
    Leave it early by `close`; an exception while a piece is awaited (KeyboardInterrupt too) closes it.

    Args:
        prompt: what the first round reads.
        config: how to write; `max_tokens` and `min_tokens` are not looked at.
        more: what a chat is told where its answer is too short by so many words or characters; None where the next round
            is to open a paragraph of the answer.

    Attributes:
        goal: the length that is wanted.
        end: why it ended: the length is "reached"; at a "stop" string; there was only "repetition"; the "context" is full;
            "interrupted", also while it is under way.
    """

    def __init__(
        self,
        model: "Model",
        prompt: Prompt,
        config: "GenerationConfig",
        goal: Goal,
        more: Callable[[int], str | None] = lambda _: None,
    ) -> None:
        self.goal = goal
        self.end: End = "interrupted"
        self._model, self._prompt, self._config, self._more = model, prompt, configured(config, {}), more
        self._draft = Manuscript()
        self._rounds = [self._begin(0)]
        self._pieces = self._write()

    def __iter__(self) -> "Writing":
        return self

    def __next__(self) -> str:
        return next(self._pieces)

    @property
    def written(self) -> int:
        """Words or characters so far."""
        return self._draft.written

    def wait(self) -> Result:
        """Until the text ends; the result."""
        for _ in self:
            pass
        return self.result

    def close(self) -> None:
        """End the text now; `result` has what there is."""
        self._pieces.close()
        self._rounds[-1].close()

    @property
    def result(self) -> Result:
        """What has been written so far, with `extra["length"]` that tells of the length."""
        finish = {"context": "length", "interrupted": "interrupted"}.get(self.end, "stop")
        text = self._draft.text.rstrip()
        length = self.goal.report(text) | {"end": self.end, "rounds": len(self._rounds)}
        return joined([stream.result for stream in self._rounds], text, finish, {"length": length})

    def _write(self) -> Generator[str]:
        idle = 0
        while True:
            before = self.written
            yield from self._round()
            if self.end != "interrupted":
                break
            idle = idle + 1 if self.written - before < max(LEAST_ROUND, self.goal.length // 100) else 0
            if idle == PATIENCE:
                self.end = "repetition"
                break
            self._draft.new_paragraph()
            try:
                self._rounds.append(self._begin(len(self._rounds)))
            except ContextError:
                self.end = "context"
                break
        self._draft.keep(len(self._draft.text))
        yield self._draft.take()

    def _round(self) -> Generator[str]:
        """Read what the model writes until it ends, repeats something, or the length is reached."""
        stream, draft = self._rounds[-1], self._draft
        try:
            for piece in stream:
                if draft.add(piece):
                    repeats = draft.cut_repeats()
                    if self._reached(ended=False) or repeats:
                        return
                    draft.keep_paragraphs()
                yield draft.take()
        finally:
            stream.close()
        result = stream.result
        if draft.cut_repeats() or self._reached(ended=True):
            return
        if result.finish_reason == "length" and result.completion_tokens >= result.context_left:
            self.end = "context"
        elif result.finish_reason == "stop" and result.token_ids[-1] not in self._model.tokenizer.eos_ids:
            self.end = "stop"

    def _reached(self, ended: bool) -> bool:
        """Whether the text can end; it does then."""
        place = self.goal.end(self._draft.text, ended)
        if place is not None:
            self._draft.keep(place)
            self.end = "reached"
        return place is not None

    def _begin(self, number: int) -> Stream:
        """A round, to bring what is missing."""
        missing = max(self.goal.length - self.written, 1)
        config = replace(
            self._config,
            max_tokens=MOST_TOKENS * missing + 64,
            min_tokens=min(number, 1),
            seed=((self._config.seed or 0) + number) % 2**64,
        )
        return begin(self._model, self._prompt_of_round(missing), config)

    def _prompt_of_round(self, missing: int) -> Prompt:
        written = self._draft.text
        if not written:
            return self._prompt
        if isinstance(self._prompt, str):
            return self._prompt + written
        said: list[Any] = list(self._prompt)
        begun = ""
        if said[-1]["role"] == "assistant":
            begun = said.pop()["content"]
        more = self._more(missing)
        if more is None:
            return [*said, {"role": "assistant", "content": begun + written}]
        answer = {"role": "assistant", "content": begun + written.rstrip()}
        return [*said, answer, {"role": "user", "content": more}]


@dataclass(frozen=True)
class TextPlan(Plan):
    """What is about to be written; `goal` is None where the model may end the text."""

    goal: Goal | None = None

    def begin(self) -> Writing | Stream:
        """Begin to write."""
        if self.goal is None:
            return self.stream()
        return Writing(self.model, self.prompt, self.config, self.goal, self._more)

    @property
    def settings(self) -> dict[str, Any]:
        """As of any plan; a length stands in the place of numbers of tokens."""
        if self.goal is None:
            return super().settings
        rest = {name: value for name, value in super().settings.items() if name not in ("max_tokens", "min_tokens")}
        return {"length": self.goal.length, "unit": self.goal.unit, **rest}

    def _more(self, missing: int) -> str | None:
        return None if self.template is None else self.template.more(**{**self.told, "length": missing})


def plan_text(
    model: "Model",
    request: str,
    length: int | None = None,
    *,
    template: Template | str | Path | None = None,
    chat: bool | None = None,
    system: str | None = None,
    config: "GenerationConfig | None" = None,
    **parameters: Any,
) -> TextPlan:
    """What `text` is about to do; see there."""
    goal = None if length is None else goal_for(request, length)
    if template is None and goal is None:
        return TextPlan.plain(model, request, chat, system, config, parameters)
    chosen = template if isinstance(template, Template) else Template.load(template or "text", task="text")
    told = {"request": request} | ({} if goal is None else {"length": goal.length, "unit": goal.unit})
    return TextPlan.of(model, chosen, told, chat, system, config, parameters, goal=goal)


def text(model: "Model", request: str, length: int | None = None, **how: Any) -> Writing | Stream:
    """Write to an instruction, or go on with a text, at a length.

        for piece in text(model, "Tell of the history of printing.", length=1200):
            print(piece, end="", flush=True)

    Args:
        request: an instruction for a chat, the beginning of a text for a model without a chat template.
        length: words, or characters where the request is in Chinese or Japanese; met within 10 % where the model can.
            None: the model ends the text, or `max_tokens` does.
        how: `template`, the name or file of a task template, "text" where there is a length, and else none: the request
            as it is; `chat`, `system`, `config` and fields of `GenerationConfig` as in `Model.generate`, in place of
            the template's.

    Returns:
        a text under way: iterate over its pieces, or `wait()` for its result.

    Raises:
        ContextError: the request does not fit into the context.
        TemplateError, UsageError: the template is wrong or not for this model, or a parameter is.
    """
    return plan_text(model, request, length, **how).begin()
