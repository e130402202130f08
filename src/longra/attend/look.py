"""What a model's continuation of a text, or its answer about it, draws on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from longra.attend.shares import Attention, attention
from longra.attend.trace import Progress, nobody, trace
from longra.errors import LongraError, UsageError
from longra.generation.stream import Stream

if TYPE_CHECKING:
    from longra.model import Model
    from longra.sampling import GenerationConfig


def look(
    model: "Model",
    source: str,
    config: "GenerationConfig",
    *,
    prompt: str | None = None,
    passage: str | None = None,
    run: Callable[[Stream], object] = Stream.wait,
    progress: Progress = nobody,
) -> Attention:
    """Which passages of a text each sentence after it draws on.

    Args:
        model: loaded, with a backend that adds up attention (native or torch).
        source: the text. It is continued, or answered about where there is a prompt.
        config: how sentences are generated.
        prompt: a question about the text; a model with a chat template answers it.
        passage: sentences to look at in place of generated ones.
        run: runs the generation to its end, or to where it is to be left.
        progress: told how many tokens have been looked at, and of how many.

    Raises:
        ContextError: text and sentences do not fit into the context.
        UsageError: the passage is empty.
        LongraError: the model wrote nothing.
    """
    asked = source if prompt is None else f"{source}\n\n{prompt}"
    tokens = model.encode(asked, chat=prompt is not None and model.template is not None)
    if passage is None:
        stream = model.stream(tokens, config)
        run(stream)
        written = [t for t in stream.result.token_ids if t not in model.tokenizer.eos_ids]
        if not written:
            raise LongraError("the model wrote nothing after this text; ask it a question, or give a --passage")
    else:
        written = model.tokenizer.encode(passage, add_special=False)
        if not written:
            raise UsageError("the passage is empty; give at least one character")
        model.check_fits(len(tokens), len(written))
    longest = len(tokens) + (config.max_tokens if passage is None else len(written))
    extended = model.spec.extended(min(longest, model.spec.context))  # the rope that the text was written with
    return attention(trace(model, tokens, written, extended, progress), source)
