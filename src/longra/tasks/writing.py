"""The task *text*: write to an instruction, or go on with a text, at a length.

What a length needs is imported where there is one, for it takes as long to import as a short answer takes to begin.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longra.tasks.plan import Plan
from longra.tasks.template import Template

if TYPE_CHECKING:
    from longra.generation.stream import Stream
    from longra.model import Model
    from longra.sampling import GenerationConfig
    from longra.tasks.goal import Goal
    from longra.tasks.rounds import Writing


@dataclass(frozen=True)
class TextPlan(Plan):
    """What is about to be written; `goal` is None where the model may end the text."""

    goal: "Goal | None" = None

    def begin(self) -> "Writing | Stream":
        """Begin to write."""
        if self.goal is None:
            return self.stream()
        from longra.tasks.rounds import Writing

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
    goal = None if length is None else _goal(request, length)
    if template is None and goal is None:
        return TextPlan.plain(model, request, chat, system, config, parameters)
    chosen = template if isinstance(template, Template) else Template.load(template or "text", task="text")
    told = {"request": request} | ({} if goal is None else {"length": goal.length, "unit": goal.unit})
    return TextPlan.of(model, chosen, told, chat, system, config, parameters, goal=goal)


def text(model: "Model", request: str, length: int | None = None, **how: Any) -> "Writing | Stream":
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


def _goal(request: str, length: int) -> "Goal":
    from longra.tasks.goal import goal_for

    return goal_for(request, length)
