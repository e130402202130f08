"""The architectures that Longra knows, each a module of this package named as its `model_type`."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from longra.errors import FormatError
from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.mapped import shown
from longra.files.spec import ModelSpec
from longra.graph import Graph, Node
from longra.models.weights import Part, Weights

# `model_type` in config.json or `general.architecture` in GGUF -> module.
MODULES = {
    "codegen": "codegen",
    "gemma3": "gemma3",
    "gemma3_text": "gemma3",
    "gpt2": "gpt2",
    "gpt_neox": "gpt_neox",
    "gptneox": "gpt_neox",
    "gptj": "gptj",
    "llama": "llama",
    "mistral": "mistral",
    "phi3": "phi3",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
}


@dataclass(frozen=True)
class Architecture:
    """What a model file provides: its parts, the reader of its description and its forward pass."""

    parts: tuple[Part, ...]
    read: Callable[[Fields, Checkpoint], ModelSpec]
    build: Callable[[Graph, ModelSpec, Weights], Node]


def architecture(name: str) -> Architecture:
    """The architecture of a `model_type`.

    Raises:
        FormatError: it is unknown; the known ones are listed.
    """
    if name not in MODULES:
        near = difflib.get_close_matches(name[:100], MODULES, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        known = ", ".join(sorted(set(MODULES.values())))
        raise FormatError(f"the architecture {shown(name)} is unknown; {hint}known: {known}")
    module = import_module(f"longra.models.{MODULES[name]}")
    return Architecture(module.PARTS, module.read, module.build)
