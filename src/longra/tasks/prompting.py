"""What a model reads of a prompt that a template has made."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from longra.sampling.config import configured

if TYPE_CHECKING:
    from longra.generation.stream import Stream
    from longra.model import Model
    from longra.sampling import GenerationConfig

Prompt = str | Sequence[int] | Sequence[Mapping[str, Any]]
"""A text or token ids to go on with, or messages; if the last is the assistant's, the answer goes on from it."""


def prompt_tokens(model: "Model", prompt: Prompt) -> list[int]:
    """The token ids of a prompt.

    Raises:
        UsageError: the text is empty.
        TemplateError: the model has no chat template, or it refuses the messages.
    """
    last = None if isinstance(prompt, str) else prompt[-1]
    if not isinstance(last, Mapping) or last["role"] != "assistant" or model.template is None:
        return model.encode(prompt, chat=False if isinstance(prompt, str) else None)
    said: Any = prompt[:-1]
    return model.tokenizer.encode(model.template.render(said) + str(last["content"]), add_special=False)


def begin(model: "Model", prompt: Prompt, config: "GenerationConfig") -> "Stream":
    """Begin to write.

    Raises:
        ContextError: the prompt does not fit into the context; else as `prompt_tokens`.
    """
    return model.begin(prompt_tokens(model, prompt), configured(config, {}), _goes_on(prompt))


def _goes_on(prompt: Prompt) -> bool:
    """Whether what is written continues the prompt's last words."""
    last = None if isinstance(prompt, str) else prompt[-1]
    return not isinstance(last, Mapping) or last["role"] == "assistant"
