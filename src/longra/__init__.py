"""Longra (LONg Range Attention): long text from open language models on the CPU that you own.

The public names are imported when they are first used (PEP 562), so that `import longra` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from longra import errors
    from longra.auto import AutoModelForCausalLM
    from longra.generation.result import Result
    from longra.generation.stream import Stream
    from longra.loading import load
    from longra.model import Model
    from longra.sampling import GenerationConfig

__version__ = "0.1.0"

_HOMES = {
    "load": "longra.loading",
    "Model": "longra.model",
    "Result": "longra.generation.result",
    "Stream": "longra.generation.stream",
    "AutoModelForCausalLM": "longra.auto",
    "GenerationConfig": "longra.sampling",
}

__all__ = [
    "AutoModelForCausalLM",
    "GenerationConfig",
    "Model",
    "Result",
    "Stream",
    "__version__",
    "errors",
    "load",
]


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("longra.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'longra' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
