"""Each verb has a page with an example that is run, and both READMEs lead to it."""

import re
from pathlib import Path

import pytest

from longra.cli.app import VERBS
from longra.cli.evaluate import VERBS as MEASURES
from support.doc_examples import examples

ROOT = Path(__file__).parents[2]
COMMANDS = [*(verb for verb in VERBS if verb != "evaluate"), *(f"evaluate {verb}" for verb in MEASURES)]


def pages_of(readme: str) -> dict[str, str]:
    """Command -> its page, as the rows of a table say."""
    found = {}
    for row in re.findall(r"^\| \[`longra .*$", (ROOT / readme).read_text(encoding="utf-8"), re.MULTILINE):
        for shown, page in re.findall(r"\[`([^`]+)`\]\((docs/[\w-]+\.md)\)", row.split(" | ")[0]):
            words = shown.removeprefix("longra ").split()
            group = "evaluate " if row.startswith("| [`longra evaluate") else ""
            found[group + words[words[0] == "evaluate"]] = page
    return found


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_table_has_each_verb(readme: str) -> None:
    assert sorted(pages_of(readme)) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_of_a_verb_runs_it(command: str) -> None:
    page = pages_of("README.md")[command]
    assert pages_of("README.zh.md")[command] == page
    run = [example.body for example in examples((ROOT / page).read_text(encoding="utf-8"))]
    assert any(re.search(rf"^\$ .*longra {command}\b", body, re.MULTILINE) for body in run)
