"""What a model reads of a prompt that a template has made."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from longra.stream import Stream, configured

if TYPE_CHECKING:
    from longra.model import Model
    from longra.sampling import GenerationConfig

Prompt = str | Sequence[Mapping[str, Any]]
"""A text to go on with, or messages; if the last of them is the assistant's, the answer goes on from it."""


def prompt_tokens(model: "Model", prompt: Prompt) -> list[int]:
    """The token ids of a prompt.

    Raises:
        UsageError: the text is empty.
        TemplateError: the model has no chat template, or it refuses the messages.
    """
    if isinstance(prompt, str) or not _goes_on(prompt) or model.template is None:
        return model.encode(prompt, chat=False) if isinstance(prompt, str) else model.encode(prompt)
    text = model.template.render(prompt[:-1]) + str(prompt[-1]["content"])
    return model.tokenizer.encode(text, add_special=False)


def begin(model: "Model", prompt: Prompt, config: "GenerationConfig") -> Stream:
    """Begin to write.

    Raises:
        ContextError: the prompt does not fit into the context; else as `prompt_tokens`.
    """
    return Stream(model, prompt_tokens(model, prompt), configured(config, {}), _goes_on(prompt))


def shown_prompt(model: "Model", tokens: Sequence[int]) -> str:
    """Tokens as text, with every control token by its name: what the model reads."""
    return model.tokenizer.decode(tokens, skip_special=False)


def _goes_on(prompt: Prompt) -> bool:
    """Whether what is written continues the prompt's last words."""
    return isinstance(prompt, str) or prompt[-1]["role"] == "assistant"
