"""Prompts made of a data set, and hypotheses that are what the model gives alone."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longra.errors import ContextError, UsageError
from longra.evaluate.references.generated import Asking, hypotheses, prompts_of, settings_of, signature_of
from longra.loading import load
from longra.sampling import GenerationConfig

ROWS = [{"q": "one", "lang": "en", "n": 1}, {"q": "two", "lang": "fr", "n": 2}]


@pytest.fixture
def rows(tmp_path: Path) -> str:
    (tmp_path / "rows.jsonl").write_text("\n\n".join(map(json.dumps, ROWS)) + "\n", encoding="utf-8")
    return f"{tmp_path / 'rows.jsonl'}:q"


def test_prompts(rows: str) -> None:
    assert prompts_of(rows, ["one", "two"], "To {lang}: {source} {{x}}") == ["To en: one {x}", "To fr: two {x}"]
    assert prompts_of("lines.txt", ["a {b}", "c"], "<{source}>") == ["<a {b}>", "<c>"]


def test_an_empty_prompt_is_told_before_a_model_is_loaded() -> None:
    assert prompts_of("lines.txt", ["a", ""], "Q: {source}") == ["Q: a", "Q: "]
    with pytest.raises(UsageError, match="segment 2 is empty"):
        prompts_of("lines.txt", ["a", " "], "{source}")


@given(
    st.text(st.characters(categories=["L"]), min_size=1),
    st.text(st.characters(exclude_characters="{}")),
    st.text(st.characters(exclude_characters="{}")),
)
def test_a_source_is_put_in_as_it_is(source: str, before: str, after: str) -> None:
    assert prompts_of("lines.txt", [source], f"{before}{{source}}{after}") == [before + source + after]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("nothing", "has no place for the source"),
        ("{{source}}", "has no place for the source"),
        ("{sorce}", "names {sorce}; there is lang, q, source"),
        ("{source} {n}", "names {n}"),  # a number is no text
    ],
)
def test_wrong_templates(template: str, says: str, rows: str) -> None:
    with pytest.raises(UsageError) as error:
        prompts_of(rows, ["one", "two"], template)
    assert says in str(error.value)


def test_hypotheses_are_those_of_each_alone(smollm2: Path) -> None:
    model = load(smollm2, threads=1, cache_dir="none")
    config = GenerationConfig(max_tokens=5, temperature=0, seed=0)
    prompts = {3: "The sky is", 7: "One, two,"}
    found = {done.number: done for done in hypotheses(model, Asking("{source}", chat=False), config, prompts)}
    for number, prompt in prompts.items():
        assert found[number].text == model.generate(prompt, config, chat=False).text.strip()
        assert (found[number].prompt, found[number].tokens, found[number].finish_reason) == (prompt, 5, "length")
    with pytest.raises(ContextError, match="segment 2: the prompt has"):
        list(hypotheses(model, Asking("{source}", chat=False), config, {2: "word " * 9000}))


def test_the_signature_has_what_a_text_depends_on(smollm2: Path) -> None:
    model = load(smollm2, threads=1, cache_dir="none")

    def sign(chat: bool = True, template: str = "{source}", **options: float) -> str:
        config = GenerationConfig(**({"temperature": 0, "seed": 0} | options))
        return signature_of(settings_of(model, Asking(template, chat), config))

    assert sign().startswith("model:SmolLM2-135M-Instruct.Q4_1.gguf|weights:gguf-")
    assert "|form:chat|prompt:" in sign()
    assert "|temp:0|max:512|version:longra-" in sign()
    different = [{}, {"chat": False}, {"template": "x {source}"}, {"temperature": 1}, {"max_tokens": 9}]
    different += [{"temperature": 1, "seed": 2}, {"temperature": 1, "top_p": 0.5}, {"repetition_penalty": 1.1}]
    assert len({sign(**options) for options in different}) == len(different)
    assert sign(seed=5) == sign()  # nothing is drawn
