"""Presets are files that people write: what is right is taken, what is wrong is told."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longra.errors import LongraError, UsageError
from longra.library.paths import presets_folder
from longra.sampling import GenerationConfig
from longra.sampling.presets import Preset, find_preset, preset_file, preset_names, remove_preset


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LONGRA_HOME", str(tmp_path))
    presets_folder().mkdir()
    return presets_folder()


def test_those_that_come_with_longra_are_right_and_have_a_source() -> None:
    for name in preset_names():
        preset = find_preset(name)
        assert preset.about
        assert "huggingface.co/" in preset.source
        assert GenerationConfig(**preset.values) != GenerationConfig()


def test_the_users_own_comes_first(folder: Path) -> None:
    (folder / "gemma3.yaml").write_text("about: mine\ntemperature: 0.5\n", encoding="utf-8")
    assert (find_preset("gemma3").values, find_preset("gemma3").about) == ({"temperature": 0.5}, "mine")
    assert preset_names().count("gemma3") == 1
    remove_preset("gemma3")
    assert find_preset("gemma3").values["top_k"] == 64


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 100),
        "top_k": st.integers(0, 2**31 - 1),
        "top_p": st.floats(0.001, 1),
        "repetition_penalty": st.floats(0.001, 10),
        "seed": st.integers(0, 2**64 - 1),
        "stop": st.lists(st.text(min_size=1), max_size=3),
        "logit_bias": st.dictionaries(st.integers(0, 2**31 - 1), st.floats(-100, 100), max_size=3),
    },
)


@settings(max_examples=25)
@given(VALUES, st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_what_is_written_is_read(values: dict[str, object], about: str) -> None:
    preset_file("any").write_text(Preset("any", values, about).as_yaml(), encoding="utf-8")
    found = find_preset("any")
    assert (found.values, found.about, found.file) == (values, about, preset_file("any"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"temprature: 1\n", "there is no parameter 'temprature'; did you mean temperature?"),
        (b"temperature: warm\n", "temperature is 'warm'; it must be from 0 to 100"),
        (b"top_p: 2\n", "top_p is 2; it must be above 0 and at most 1"),
        (b"logit_bias: 5\n", "logit_bias"),
        (b"stop: 5\n", "stop"),
        (b"- 1\n", "must have lines such as `temperature: 0.9`"),
        (b"", "must have lines such as"),
        (b"temperature: [\n", "is not YAML"),
        (b"about: \xff\n", "is not YAML"),
        (b"!!python/object/apply:os.system [echo]\n", "is not YAML"),
        (b"#" * 70_000, "more than 65,536 bytes"),
    ],
)
def test_wrong_files(content: bytes, says: str, folder: Path) -> None:
    (folder / "wrong.yaml").write_bytes(content)
    with pytest.raises(LongraError, match=re.escape(says)) as error:
        find_preset("wrong")
    assert "wrong" in str(error.value)


def test_unknown_names() -> None:
    with pytest.raises(UsageError, match="no preset 'gema3'; did you mean gemma3"):
        find_preset("gema3")
    with pytest.raises(UsageError, match="comes with Longra and stays"):
        remove_preset("gemma3")
    with pytest.raises(UsageError, match="no preset 'zzz'"):
        remove_preset("zzz")
    for name in ("", "../a", ".a", "a/b", "a b"):
        with pytest.raises(UsageError, match="cannot be the name of a preset"):
            preset_file(name)
