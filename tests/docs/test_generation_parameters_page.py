"""The page about generation parameters says what the code does."""

import doctest
import re
from dataclasses import fields
from pathlib import Path

import pytest

from longra.errors import UsageError
from longra.sampling import GenerationConfig
from longra.sampling.parameters import PARAMETERS

PAGE = Path(__file__).parents[2] / "docs" / "generation-parameters.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = re.findall(r"^\| \[`(\w+)`\]\(#([\w-]+)\) \| (.+?) \| (.+?) \| (.+?) \| (.*?) ?\|$", TEXT, re.MULTILINE)
SPELT = {"none": None, "drawn": None}


def number(text: str) -> float:
    return 2.0**64 if text.startswith("2⁶⁴") else float(text)


def test_the_examples() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 30
    assert result.failed == 0


def test_the_table_has_every_parameter() -> None:
    hidden = {"dry_base", "dry_allowed_length", "dry_breakers", "speculation", "draft_text"}  # in sections only
    assert {row[0] for row in ROWS} == {field.name for field in fields(GenerationConfig)} - hidden
    for name in hidden:
        assert f"`{name}`" in TEXT


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_defaults_and_ranges(row: tuple[str, ...]) -> None:
    name, anchor, options, default, bounds, off = row
    about = PARAMETERS[name]
    assert about.option == options.replace("`", "")
    if about.number is not None and name != "min_tokens":  # which max_tokens bounds
        assert str(about.number) == bounds
    assert ("" if about.off is None else f"{about.off:g}") == off
    assert re.search(rf"^## {anchor.replace('-', ' ')}$", TEXT, re.MULTILINE)
    value = getattr(GenerationConfig(), name)
    if default in SPELT:
        assert not value
    else:
        assert value == number(default)
    if off:
        GenerationConfig(**{name: type(value)(number(off))})
    low = re.search(r"(above )?(-?[\d.]+) (?:or more|to)", bounds)
    if low and name != "logit_bias":
        step = 0 if low[1] else 1
        with pytest.raises(UsageError):
            GenerationConfig(**{name: type(value or 0)(number(low[2]) - step)})
    high = re.search(r"to (-?[\d.⁶⁴]+)", bounds)
    if high and name != "logit_bias":
        with pytest.raises(UsageError):
            GenerationConfig(**{name: type(value or 0)(number(high[1]) + 1)})
