"""Hypotheses that a model writes for a data set, to be measured against its references."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from longra import __version__
from longra.errors import LongraError, UsageError
from longra.evaluate.json_lines import lines_of, object_of, split_field
from longra.evaluate.together import Generate, together

if TYPE_CHECKING:
    from longra.model import Model
    from longra.sampling import GenerationConfig

SOURCE = "source"
"""What a template calls the text that HYP names."""

_PLACE = re.compile(r"\{\{|\}\}|\{(\w+)\}")
_NOT_OF_TEXT = ("speculation", "draft_text", "logprobs", "num_sequences")
"""Fields of a configuration that do not change a text."""


@dataclass(frozen=True)
class Asking:
    """How a source is put to the model.

    Attributes:
        template: the prompt, with {source} and the names of other fields in it; {{ and }} are braces.
        chat: put it into the model's chat template.
        system: the system message of a chat.
    """

    template: str
    chat: bool
    system: str | None = None


@dataclass(frozen=True)
class Hypothesis:
    """What a model wrote for a segment.

    Attributes:
        number: of the segment, from 1.
        prompt: what the model was asked.
        text: without white space at its ends.
        tokens: how many it has.
        finish_reason: why it ends: "stop" or "length".
    """

    number: int
    prompt: str
    text: str
    tokens: int
    finish_reason: str


def prompts_of(source: str, segments: Sequence[str], template: str) -> list[str]:
    """The prompt of each segment.

    Args:
        source: where the segments come from, as `read_segments` takes it.

    Raises:
        UsageError: the template names a field that is not there, or none at all, or a prompt is empty.
    """
    if not any(place[1] for place in _PLACE.finditer(template)):
        raise UsageError(f"the prompt {template!r} has no place for the source; write {{source}} where it belongs")
    prompts = [_filled(template, fields) for fields in _fields(source, segments)]
    for number, prompt in enumerate(prompts, 1):
        if not prompt.strip():
            raise UsageError(
                f"segment {number:,} is empty, and so is its prompt; write more than {{source}} in the prompt"
            )
    return prompts


def _fields(source: str, segments: Sequence[str]) -> list[dict[str, str]]:
    """What a template may name, for each segment."""
    path, field = split_field(source)
    if field is None:
        return [{SOURCE: segment} for segment in segments]
    objects = [object_of(path, number, line) for number, line in lines_of(path) if line.strip()]
    return [
        {name: value for name, value in found.items() if isinstance(value, str)} | {SOURCE: segment}
        for found, segment in zip(objects, segments, strict=True)
    ]


def _filled(template: str, fields: Mapping[str, str]) -> str:
    def value(place: re.Match[str]) -> str:
        if place[1] is None:
            return place[0][0]
        if place[1] not in fields:
            known = ", ".join(sorted(fields))
            raise UsageError(f"the prompt names {{{place[1]}}}; there is {known} ({{{{ is a brace that is meant)")
        return fields[place[1]]

    return _PLACE.sub(value, template)


def hypotheses(
    model: "Model", asking: Asking, config: "GenerationConfig", prompts: Mapping[int, str]
) -> Iterator[Hypothesis]:
    """What the model writes, as it comes; see `together`.

    Args:
        prompts: by the number of the segment.

    Raises:
        ContextError: a prompt does not fit into the model's context.
        TemplateError: a chat is asked for and the model has no template.
    """

    def write(job: tuple[int, str], generate: Generate) -> Hypothesis:
        number, prompt = job
        try:
            ids = model.encode(prompt, asking.chat, asking.system)
            result = generate(ids, config)
        except LongraError as error:
            raise type(error)(f"segment {number:,}: {error}") from None
        return Hypothesis(number, prompt, result.text.strip(), result.completion_tokens, result.finish_reason)

    return together(model, list(prompts.items()), write)


def settings_of(model: "Model", asking: Asking, config: "GenerationConfig") -> dict[str, Any]:
    """All that hypotheses depend on besides the data, to be kept beside them."""
    asked = {name: getattr(config, name) for name in config.__dataclass_fields__ if name not in _NOT_OF_TEXT}
    if config.greedy:
        asked["seed"] = None  # nothing is drawn
    return {
        "model": model.name,
        "weights": f"{model.weights.format}, {model.weights.bytes:,} bytes",
        "chat": asking.chat,
        "system": asking.system,
        "prompt": asking.template,
        **asked,
        "version": f"longra-{__version__}",
    }


def signature_of(settings: Mapping[str, Any]) -> str:
    """The settings in a line that can be quoted beside a score; of texts it has the beginning of a SHA-256."""
    drawn = settings["temperature"] > 0
    parts = {
        "model": settings["model"],
        "weights": settings["weights"].replace(",", "").replace(" ", "-"),
        "form": "chat" if settings["chat"] else "raw",
        "system": None if settings["system"] is None else _digest(settings["system"]),
        "prompt": _digest(settings["prompt"]),
        "temp": f"{settings['temperature']:g}",
        "topk": settings["top_k"] if drawn else None,
        "topp": settings["top_p"] if drawn else None,
        "minp": settings["min_p"] if drawn and settings["min_p"] else None,
        "rep": settings["repetition_penalty"] if settings["repetition_penalty"] != 1 else None,
        "seed": settings["seed"],
        "max": settings["max_tokens"],
        "version": settings["version"],
    }
    return "|".join(f"{name}:{value}" for name, value in parts.items() if value is not None)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
