"""What a model reads of a prompt that a template has made."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from longra.model import Model

Prompt = str | Sequence[Mapping[str, Any]]


def prompt_tokens(model: "Model", prompt: Prompt) -> list[int]:
    """The token ids of a prompt.

    Args:
        prompt: a text to go on with, or messages; if the last of them is the assistant's, the answer goes on from it.

    Raises:
        UsageError: the text is empty.
        TemplateError: the model has no chat template, or it refuses the messages.
    """
    if isinstance(prompt, str) or prompt[-1]["role"] != "assistant" or model.template is None:
        return model.encode(prompt, chat=False) if isinstance(prompt, str) else model.encode(prompt)
    text = model.template.render(prompt[:-1]) + str(prompt[-1]["content"])
    return model.tokenizer.encode(text, add_special=False)


def shown_prompt(model: "Model", tokens: Sequence[int]) -> str:
    """Tokens as text, with every control token by its name: what the model reads."""
    return model.tokenizer.decode(tokens, skip_special=False)
