"""A task about to begin: what the model will read, and how it will write."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from longra.errors import UsageError
from longra.generation.stream import Stream
from longra.sampling import GenerationConfig
from longra.sampling.config import changed
from longra.tasks.prompting import Prompt, begin, prompt_tokens
from longra.tasks.template import Template

if TYPE_CHECKING:
    from longra.model import Model


@dataclass(frozen=True)
class Plan:
    """What is to be asked of a model.

    Attributes:
        template: what it was made from; None where the model reads the request as it is.
        told: the template's fields, and what they are here.
        prompt: what the model reads first.
        config: how it writes.
    """

    model: "Model"
    template: Template | None
    told: Mapping[str, Any]
    prompt: Prompt
    config: GenerationConfig

    @classmethod
    def of(
        cls,
        model: "Model",
        template: Template,
        told: Mapping[str, Any],
        chat: bool | None,
        system: str | None,
        config: GenerationConfig | None,
        parameters: Mapping[str, Any],
        **more: Any,
    ) -> Self:
        """The plan that a template makes for a model.

        Args:
            told: the template's fields, and what they are here.
            chat: use the model's chat template; None does so where there is one.
            system: the system message, in place of the template's.
            config: how to write, in place of the template's defaults.
            parameters: fields of `GenerationConfig` that count before either.
            more: what else this kind of plan has.

        Raises:
            TemplateError: the template is not for such a model, or its Jinja failed.
            UsageError: a parameter is out of range, or a system message is given without a chat.
        """
        prompt = template.prompt(_is_chat(model, chat), **told)
        if system is not None:
            if isinstance(prompt, str):
                raise UsageError("a system message needs a chat; leave --raw away")
            prompt = [_message("system", system), *(message for message in prompt if message["role"] != "system")]
        asked = template.config(not isinstance(prompt, str), config, **parameters)
        return cls(model, template, told, prompt, asked, **more)

    @classmethod
    def plain(
        cls,
        model: "Model",
        request: str,
        chat: bool | None,
        system: str | None,
        config: GenerationConfig | None,
        parameters: Mapping[str, Any],
    ) -> Self:
        """The plan without a template: the request, or the one message of a chat; arguments as for `of`.

        Raises:
            UsageError: a parameter is out of range, the request is empty, or there is a system message without a chat.
        """
        prompt: Prompt = request
        if _is_chat(model, True if chat is None and system is not None else chat):
            if not request:
                raise UsageError("the prompt is empty; give at least one character")
            prompt = [*([] if system is None else [_message("system", system)]), _message("user", request)]
        elif system is not None:
            raise UsageError("a system message needs a chat; leave --raw away")
        return cls(model, None, {}, prompt, changed(config or GenerationConfig(), parameters))

    def stream(self) -> Stream:
        """Begin to write, as the model will."""
        return begin(self.model, self.prompt, self.config)

    @property
    def settings(self) -> dict[str, Any]:
        """How it writes: the fields of the configuration that say something."""
        values = {field.name: getattr(self.config, field.name) for field in fields(self.config)}
        return {name: value for name, value in values.items() if value is not None and value not in ((), {}, "")}

    @property
    def tokens(self) -> list[int]:
        """What the model reads first."""
        return prompt_tokens(self.model, self.prompt)


def _is_chat(model: "Model", chat: bool | None) -> bool:
    return model.template is not None if chat is None else chat


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
