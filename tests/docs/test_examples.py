"""The examples in the docs do what the docs say."""

import os
import sys
from pathlib import Path

import pytest

from support.doc_examples import examples, matches, run_page

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for page in (*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").glob("*.md")))
    if examples(page.read_text(encoding="utf-8"))
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, with the `longra` of this Python in reach."""
    command = tmp_path / "bin" / "longra"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m longra "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def home(default_store: Path, tmp_path: Path, _own_home: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of its own, with the default model."""
    made = tmp_path / "home"
    made.mkdir()
    (made / "models").symlink_to(default_store / "models")
    monkeypatch.setenv("LONGRA_HOME", str(made))
    return made


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_the_examples_of(page: Path, folder: Path) -> None:
    assert run_page(page, folder) > 0


def test_pages_are_found() -> None:
    assert "tidy.md" in {page.name for page in PAGES}


@pytest.mark.parametrize(
    "example",
    [
        "```console\n$ echo right\nwrong\n```",
        "```console\n$ echo right; false\nright\n```",
        "```console\n$ echo 'error: none'\nerror: none\n```",
        "```console\nno command\n```",
        "```console\n$ longra no-such-verb\n```",
        "```python\n>>> 1 + 1\n3\n```",
        "```python\nassert 1 + 1 == 3\n```",
        "```text\nneither\n```",
    ],
)
def test_wrong_examples_fail(example: str, folder: Path) -> None:
    page = folder / "page.md"
    page.write_text(f"Text.\n\n<!-- test -->\n{example}\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        run_page(page, folder)


def test_right_examples_pass(folder: Path) -> None:
    page = folder / "page.md"
    page.write_text(
        "<!-- file a.txt -->\n```text\none\ntwo\n```\n\n"
        "<!-- test -->\n\n```console\n$ cat a.txt\n...\ntwo\n$ true\n$ longra nothing\nerror: ...\n```\n\n"
        "<!-- test -->\n```python\nx = 41\n```\n\n<!-- test -->\n```python\n>>> x + 1\n42\n\n```\n\n"
        "```console\n$ not marked, so not run\n```\n",
        encoding="utf-8",
    )
    assert run_page(page, folder) == 3


def test_a_marker_needs_a_block() -> None:
    with pytest.raises(ValueError, match="1 markers, but 0 fenced blocks"):
        examples("<!-- test -->\nText.\n")


def test_matches() -> None:
    assert matches("a ... c\n", "a b\nb c\n")
    assert matches("", "\n")
    assert not matches("a...c", "a c d")
    assert not matches("(.)", "a")
