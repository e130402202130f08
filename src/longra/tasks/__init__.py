"""What a model is used for: each task brings its form of prompt and its rules.

The public names are imported when they are first used, so that `import longra.tasks` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from longra.tasks.coding.coding import code
    from longra.tasks.dialogue import Conversation
    from longra.tasks.template import Template
    from longra.tasks.translation import translate
    from longra.tasks.writing import text

_HOMES = {
    "Conversation": "longra.tasks.dialogue",
    "code": "longra.tasks.coding.coding",
    "Template": "longra.tasks.template",
    "text": "longra.tasks.writing",
    "translate": "longra.tasks.translation",
}

__all__ = ["Conversation", "Template", "code", "text", "translate"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'longra.tasks' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
