"""`longra templates`, and templates in use."""

import json
from pathlib import Path

import pytest
from running import longra

from longra.library.paths import templates_folder
from longra.text.units import count

pytestmark = pytest.mark.usefixtures("default_installed")


@pytest.fixture(autouse=True)
def _no_own_templates(request: pytest.FixtureRequest) -> None:
    """The store is shared by all tests of the session."""
    request.getfixturevalue("default_installed")
    for file in templates_folder().glob("*.yaml"):
        file.unlink()


def test_list_show_copy_and_use() -> None:
    rows = json.loads(longra("templates", "--json").out)["templates"]
    assert {"code", "text"} <= {row["name"] for row in rows}
    assert longra("templates", "text").out.startswith("task: text\n")
    target = Path(longra("templates", "text", "--copy", "mine").out.strip())
    assert target == templates_folder() / "mine.yaml"
    target.write_text('task: text\nabout: Mine.\nchat: {user: "Sing: {{ request }}"}\n', encoding="utf-8")
    assert ["mine", "text", "yours", "Mine."] in [line.split() for line in longra("templates").out.splitlines()]
    shown = longra("generate", "la", "--template", "mine", "--show-prompt")
    assert "<|im_start|>user\nSing: la<|im_end|>" in shown.out
    assert "mine.yaml" in shown.err
    again = longra("templates", "text", "--copy", "mine")
    assert (again.code, again.out) == (2, "")
    assert "is there already" in again.err


def test_a_broken_one_does_not_hide_the_others() -> None:
    templates_folder().mkdir(exist_ok=True)
    (templates_folder() / "broken.yaml").write_text("task: [", encoding="utf-8")
    ran = longra("templates")
    assert "text" in ran.out
    assert ran.err.startswith("warning: ")
    assert "broken.yaml: line 1" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["templates", "nothing"], "no template 'nothing'"),
        (["templates", "--copy", "x"], "needs a NAME"),
        (["templates", "text", "--copy", "../x"], "cannot be a template's name"),
        (["generate", "a", "--template", "code"], "is for the task code"),
        (["generate", "a", "--length", "50", "-n", "9"], "--length and --max-tokens 9 do not go together"),
        (["generate", "a", "--tidy", "--no-tidy"], "contradict each other"),
    ],
)
def test_wrong_wishes(words: list[str], said: str) -> None:
    ran = longra(*words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_show_prompt_is_what_generate_reads() -> None:
    shown = json.loads(longra("generate", "Hi", "--show-prompt", "--json", "-t", "0.5").out)
    ran = json.loads(longra("generate", "Hi", "-n", "1", "--json").out)
    assert shown["prompt_tokens"] == ran["prompt_tokens"]
    assert shown["prompt"].endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    assert (shown["settings"]["temperature"], shown["template"], shown["tidy"]) == (0.5, None, None)
    assert longra("generate", "Hi", "--raw", "--show-prompt").out == "Hi\n"


def test_a_length_in_text_and_json() -> None:
    words = ("generate", "Tell a short tale of the sea.", "--length", "40", "--seed", "1", "--threads", "1")
    result = json.loads(longra(*words, "--json").out)
    assert set(result["length"]) == {"target", "reached", "unit", "met", "end", "rounds"}
    assert result["length"]["reached"] == count(result["text"])
    assert result["text"] == longra(*words, "--no-tidy").out.rstrip("\n")


def test_a_length_that_is_missed_is_told() -> None:
    ran = longra(
        "generate", "Hello", "--raw", "--length", "90", "-t", "0", "--logit-bias", " sea=100", "--threads", "1"
    )
    assert ran.code == 0
    assert " words, not 90: the model only repeats itself" in ran.err
