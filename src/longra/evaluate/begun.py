"""Questions whose answer is begun for the model, so that it goes on with what is asked and nothing before it."""

from typing import TYPE_CHECKING

from longra.errors import TemplateError

if TYPE_CHECKING:
    from longra.model import Model


def begun_ids(model: "Model", question: str, beginning: str, chat: bool) -> list[int]:
    """Token ids of a question and of the beginning of its answer.

    Args:
        chat: put the question into the model's chat template; else the beginning follows it directly.

    Raises:
        TemplateError: the model has no chat template.
    """
    if not chat:
        return model.tokenizer.encode(question + beginning)
    if model.template is None:
        raise TemplateError(f"{model.name} has no chat template; pass --raw to have it continue the text itself")
    asked = model.template.render([{"role": "user", "content": question}])
    return model.tokenizer.encode(asked + beginning.lstrip(), add_special=False)
