"""Numbers and names of a model's description, each checked before it is believed."""

import difflib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from longra.errors import FormatError
from longra.files.mapped import shown

_LARGEST = (1 << 31) - 1  # what the kernels count in


class Fields:
    """A description (config.json, or GGUF metadata under the same names) whose values are read with their ranges.

    Args:
        values: name to value.
        source: what to call it in errors.
    """

    def __init__(self, values: dict[str, Any], source: str) -> None:
        self.values = values
        self.source = source

    def first(self, *names: str) -> tuple[str, Any]:
        """The first of some names that has a value, and the value; (last name, None) if none has."""
        for name in names:
            value = self.values.get(name)
            if value is not None:
                return name, value
        return names[0], None

    def integer(self, *names: str, low: int = 1, high: int = _LARGEST, default: int | None = None) -> int:
        """A whole number in [low, high].

        Raises:
            FormatError: it is missing without a default, of another type, or out of range.
        """
        name, value = self.first(*names)
        if value is None:
            if default is None:
                raise self._missing(name)
            return default
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise FormatError(f"{self.source}: {name} is {shown(value)}, a whole number is needed")
        if not low <= value <= high:
            raise FormatError(f"{self.source}: {name} is {shown(value)}, which is outside {low} to {high}")
        return int(value)

    def number(
        self, *names: str, low: float = 0.0, high: float = float(_LARGEST), default: float | None = None
    ) -> float:
        """A finite number in [low, high].

        Raises:
            FormatError: as for integer.
        """
        name, value = self.first(*names)
        if value is None:
            if default is None:
                raise self._missing(name)
            return default
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise FormatError(f"{self.source}: {name} is {shown(value)}, a number is needed")
        if not math.isfinite(value) or not low <= value <= high:
            raise FormatError(f"{self.source}: {name} is {shown(value)}, which is outside {low:g} to {high:g}")
        return float(value)

    def text(self, *names: str, default: str | None = None) -> str:
        """A string.

        Raises:
            FormatError: it is missing without a default, or of another type.
        """
        name, value = self.first(*names)
        if value is None:
            if default is None:
                raise self._missing(name)
            return default
        if not isinstance(value, str):
            raise FormatError(f"{self.source}: {name} is {shown(value)}, a text is needed")
        return value

    def flag(self, *names: str, default: bool) -> bool:
        """True or false.

        Raises:
            FormatError: it is of another type.
        """
        name, value = self.first(*names)
        if value is None:
            return default
        if not isinstance(value, bool | np.bool_):
            raise FormatError(f"{self.source}: {name} is {shown(value)}, true or false is needed")
        return bool(value)

    def section(self, name: str) -> "Fields | None":
        """An object inside the description, or None.

        Raises:
            FormatError: it is of another type.
        """
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise FormatError(f"{self.source}: {name} is {shown(value)}, an object is needed")
        return Fields(value, f"{self.source}: {name}")

    def numbers(self, name: str, count: int) -> list[float]:
        """A list of `count` finite positive numbers.

        Raises:
            FormatError: it is missing, of another length, or holds something else.
        """
        value = self.values.get(name)
        if value is None:
            raise self._missing(name)
        if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str) or len(value) != count:
            raise FormatError(f"{self.source}: {name} is {shown(value)}, a list of {count} numbers is needed")
        return [Fields({name: item}, self.source).number(name, low=1e-6) for item in value]

    def choice(self, *names: str, among: dict[str, str], default: str | None = None) -> str:
        """A string that is one of `among`, translated by it.

        Raises:
            FormatError: it is none of them; the nearest is suggested.
        """
        value = self.text(*names, default=default)
        if value not in among:
            near = difflib.get_close_matches(value, among, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise FormatError(
                f"{self.source}: {names[0]} {shown(value)} is unknown{hint}; known: {', '.join(sorted(among))}"
            )
        return among[value]

    def refuse(self, name: str, *harmless: Any) -> None:
        """Refuse a model that uses what no operation here computes, rather than leave it out.

        Args:
            harmless: values besides None that mean "not used".

        Raises:
            FormatError: the value is another.
        """
        value = self.values.get(name)
        if value is not None and not any(type(value) is type(other) and value == other for other in harmless):
            raise FormatError(f"{self.source}: {name} is {shown(value)}, and no model of Longra can do that")

    def _missing(self, name: str) -> FormatError:
        return FormatError(f"{self.source} does not say {name}; the description is incomplete")
