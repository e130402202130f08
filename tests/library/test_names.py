"""From what a user types to a model."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longra.errors import LongraError, ModelNotFoundError, UsageError
from longra.library import ensure, find_installed, install_named, resolve
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


@pytest.mark.parametrize("name", ["smolm2-135m", "nosuchmodel"])
def test_unknown_name(name: str) -> None:
    for call in (resolve, ensure):
        with pytest.raises(ModelNotFoundError, match=rf"no model is called '{name}'.*longra models"):
            call(name)
    with pytest.raises(ModelNotFoundError, match=r"did you mean smollm2-135m-instruct\?"):
        ensure("smolm2-135m")


def test_no_name_at_all_is_like_no_other() -> None:
    with pytest.raises(ModelNotFoundError, match=r"no model is called ''; `longra models`"):
        ensure("")


def test_known_but_not_installed_says_what_to_type() -> None:
    with pytest.raises(ModelNotFoundError, match="`longra install gemma-3-1b-it`"):
        resolve("gemma-3-1")
    with pytest.raises(ModelNotFoundError, match="'gemma' is the start of 3 names: gemma-3-1b-it, gemma-3-270m, gemma"):
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
    with pytest.raises(ModelNotFoundError, match=r"'models/absent\.gguf' does not exist"):
        ensure("models/absent.gguf")
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


@pytest.mark.parametrize("name", ["", "UPPER", "-x", "a/b", "..", "a b", "名"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(UsageError):
        checked_name(name)
