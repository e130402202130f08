"""Groups of options become options, and come back as groups."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer

from longra.cli.shared.spread import spread

Size = Annotated[int, typer.Option("--size", "-s", min=1)]


@dataclass(frozen=True)
class Shape:
    """A group."""

    size: Size = 3
    name: Annotated[str | None, typer.Option()] = None


@dataclass(frozen=True)
class Solid(Shape):
    """A group with more."""

    depth: Annotated[int, typer.Option()] = 1


def parsed(*words: str) -> list[object]:
    """What a verb with groups receives from a command line."""
    seen: list[object] = []

    def verb(
        *,
        word: Annotated[str, typer.Argument()] = "",
        solid: Solid,
        loud: Annotated[bool, typer.Option("--loud")] = False,
    ) -> None:
        """What it does."""
        seen.extend((word, solid, loud))

    app = typer.Typer()
    app.command()(spread(verb))
    typer.main.get_command(app).main(list(words), standalone_mode=False)
    return seen


def test_defaults_and_values() -> None:
    assert parsed() == ["", Solid(), False]
    assert parsed("w", "-s", "7", "--loud", "--depth", "2") == ["w", Solid(size=7, depth=2), True]


def test_a_fields_own_bounds_hold() -> None:
    with pytest.raises(Exception, match="0 is not in the range x>=1"):
        parsed("--size", "0")


def test_options_stand_where_the_group_stood() -> None:
    def verb(first: int, shape: Shape, last: int = 0) -> None:
        """What it does."""

    spread_verb = spread(verb)
    assert list(spread_verb.__annotations__) == ["first", "size", "name", "last"]
    assert spread_verb.__doc__ == "What it does."
