"""A task about to begin: what the model will read, and how it will write."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from longra.errors import UsageError
from longra.stream import Stream
from longra.tasks.prompting import Prompt, begin
from longra.tasks.template import Template

if TYPE_CHECKING:
    from longra.model import Model
    from longra.sampling import GenerationConfig


@dataclass(frozen=True)
class Plan:
    """What is to be asked of a model.

    Attributes:
        template: what it was made from.
        fields: what the template's texts were told.
        prompt: what the model reads first.
        config: how it writes.
    """

    model: "Model"
    template: Template
    fields: Mapping[str, Any]
    prompt: Prompt
    config: "GenerationConfig"

    @classmethod
    def of(
        cls,
        model: "Model",
        template: Template,
        fields: Mapping[str, Any],
        chat: bool | None,
        system: str | None,
        parameters: Mapping[str, Any],
        **more: Any,
    ) -> Self:
        """The plan that a template makes for a model.

        Args:
            chat: use the model's chat template; None does so where there is one.
            system: the system message, in place of the template's.
            parameters: fields of `GenerationConfig`, in place of the template's.
            more: what else this kind of plan has.

        Raises:
            TemplateError: the template is not for such a model, or its Jinja failed.
            UsageError: a parameter is out of range, or a system message is given without a chat.
        """
        chat = model.template is not None if chat is None else chat
        prompt = template.prompt(chat, **fields)
        if system is not None:
            if isinstance(prompt, str):
                raise UsageError("a system message needs a chat; leave --raw away")
            said = [message for message in prompt if message["role"] != "system"]
            prompt = [{"role": "system", "content": system}, *said]
        return cls(model, template, fields, prompt, template.config(chat, **parameters), **more)

    def stream(self) -> Stream:
        """Begin to write, as the model will."""
        return begin(self.model, self.prompt, self.config)
