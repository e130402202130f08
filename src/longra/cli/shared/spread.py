"""Options that belong together are written once, as a dataclass; a verb takes them as one parameter."""

import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def spread(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The verb as typer is to see it: a parameter that is a dataclass stands for its fields.

    The fields become options in the parameter's place, and the verb gets the dataclass made of their values.
    """
    hints = get_type_hints(verb, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    members = {name: _options(group) for name, group in groups.items()}
    own = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(verb).parameters.items()
        if name not in groups
    ]
    by_name = {parameter.name: [parameter] for parameter in own} | members
    ordered = [option for name in inspect.signature(verb).parameters for option in by_name[name]]

    @wraps(verb)
    def taking_options(**values: Any) -> Any:
        made = {
            name: groups[name](**{option.name: values.pop(option.name) for option in options})
            for name, options in members.items()
        }
        return verb(**values, **made)

    taking_options.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
    taking_options.__annotations__ = {option.name: option.annotation for option in ordered}
    return taking_options


def _options(group: Any) -> list[inspect.Parameter]:
    """A dataclass's fields, each with its own annotation and default."""
    hints = get_type_hints(group, include_extras=True)
    fields = inspect.signature(group).parameters.values()
    return [field.replace(annotation=hints[field.name], kind=inspect.Parameter.KEYWORD_ONLY) for field in fields]
