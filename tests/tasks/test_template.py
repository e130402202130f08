"""Task templates: what they make, and what is said of wrong ones."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longra.errors import TemplateError, UsageError
from longra.library.paths import templates_folder
from longra.sampling import GenerationConfig
from longra.tasks.template import Template
from longra.tasks.template_file import FIELDS
from longra.tasks.template_places import own_templates

GOOD = """
task: text
about: A reply
  to a letter.
chat:
  system: You answer letters.
  user: |
    {{ request }}
    {% if length %}
    In {{ length }} {{ unit }}.
    {% endif %}
  answer: Dear
  stop: [P.S.]
base:
  text: |
    {{ request }}

    Dear
sampling: {temperature: 0.6, top_k: 5}
tidy: unicode,sentence
"""


def load(tmp_path: Path, text: str | bytes) -> Template:
    path = tmp_path / "letter.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Template.load(path)


def test_a_template_makes_messages_for_chat_models_and_text_for_others(tmp_path: Path) -> None:
    template = load(tmp_path, GOOD)
    assert (template.name, template.task, template.about, template.tidy) == (
        *("letter", "text", "A reply to a letter.", "unicode,sentence"),
    )
    assert template.prompt(chat=True, request="{{ 1 + 1 }}", length=80, unit="words") == [
        {"role": "system", "content": "You answer letters."},
        {"role": "user", "content": "{{ 1 + 1 }}\nIn 80 words.\n"},
        {"role": "assistant", "content": "Dear"},
    ]
    assert template.prompt(chat=True, request="a")[1]["content"] == "a\n"
    assert template.prompt(chat=False, request="a") == "a\n\nDear"


def test_what_is_given_comes_before_the_template_and_the_template_before_the_defaults(tmp_path: Path) -> None:
    template = load(tmp_path, GOOD)
    config = template.config(chat=True, top_k=9, stop=["zzz"])
    assert (config.temperature, config.top_k, config.top_p) == (0.6, 9, GenerationConfig().top_p)
    assert config.stop == ("P.S.", "zzz")
    assert template.config(chat=False).stop == ()


def test_a_form_that_is_missing_is_named_when_it_is_needed(tmp_path: Path) -> None:
    template = load(tmp_path, "task: text\nbase: {text: a}")
    assert template.prompt(chat=False) == "a"
    with pytest.raises(TemplateError, match=r"letter.yaml has no `chat:`.*system, user, answer"):
        template.prompt(chat=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is no table; it must have the keys task, about, chat"),
        ("task: text", "neither `chat:` nor `base:`"),
        ("task: tekst\nbase: {text: a}", "`task` is 'tekst'; it must be text, code, translate"),
        ("task: [text]\nbase: {text: a}", r"`task` is \['text'\]"),
        ("task: text\nbase: a", "base is no table; it must have the keys text, stop"),
        ("task: text\nbase: {txt: a}", "base has the key 'txt'; it may have text, stop"),
        ("task: text\nchat: {system: a}", "`chat` has no `user`"),
        ("task: text\nbase: {text: 3}", "`base.text` is 3; it must be a text"),
        ("task: text\nbase: {text: a, stop: [3]}", r"`base.stop` is \[3\]"),
        ("task: text\nbase: {text: '{{ reqest }}'}", "`base.text` names 'reqest'; it may name request, length, unit"),
        ("task: text\nbase: {text: '{{ request'}", "`base.text` is no Jinja"),
        ("task: text\nbase: {text: a}\nsampling: {temp: 1}", "sampling has the key 'temp'; it may have max_tokens"),
        ("task: text\nbase: {text: a}\nsampling: {top_p: 7}", "`sampling`: top_p is 7; it must be above 0"),
        ("task: text\nbase: {text: a}\nsampling: {seed: yes}", "`sampling`: seed is True"),
        ("task: text\nbase: {text: a}\ntidy: sentences", "`tidy`: there is no step 'sentences'; did you mean"),
        ("task: text\nextra: 1\nbase: {text: a}", "has the key 'extra'; it may have task"),
        ("task: text\n  base: {", "line 2: .*must be YAML"),
        ("task: !!python/object/apply:os.system [ls]", "line 1: could not determine a constructor.*must be YAML"),
        ("a: " + "[" * 5000, "must be YAML"),
        (b"task: text # \xff", "is not UTF-8"),
        ("#" * 70_000, "70,000 bytes"),
    ],
)
def test_wrong_files_are_told_by_name_key_and_what_is_allowed(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(TemplateError, match=rf"letter\.yaml: .*{said}"):
        load(tmp_path, text)


@pytest.mark.parametrize(
    "source", ["{{ request.__class__.__mro__ }}", "{{ 'a' * 99999999999 }}", "{% include 'x' %}", "{{ 1 / 0 }}"]
)
def test_jinja_that_fails_or_wants_out_is_stopped(tmp_path: Path, source: str) -> None:
    template = load(tmp_path, f'task: text\nbase: {{text: "{source}"}}')
    with pytest.raises(TemplateError, match=r"letter\.yaml, `base.text`: "):
        template.prompt(chat=False, request="a")


def test_the_users_own_takes_the_place_of_longras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGRA_HOME", str(tmp_path))
    assert "Write about" in str(Template.load("text").chat)
    templates_folder().mkdir()
    (templates_folder() / "text.yaml").write_text(GOOD)
    assert Template.load("text").defaults["top_k"] == 5
    with pytest.raises(UsageError, match="is for the task text, not code"):
        Template.load("text", task="code")
    with pytest.raises(UsageError, match="no template 'tex'; did you mean text"):
        Template.load("tex")


@pytest.mark.parametrize("name", own_templates())
def test_longras_own_make_a_prompt_of_nothing_and_of_everything(name: str) -> None:
    template = Template.load(name)
    assert template.about
    for fields in ({}, dict.fromkeys(FIELDS[template.task], "x")):
        assert template.prompt(chat=True, **fields)
        assert isinstance(template.prompt(chat=False, **fields), str)


_VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
)


@settings(max_examples=60)
@given(
    table=st.dictionaries(
        st.sampled_from(["task", "about", "chat", "base", "sampling", "tidy", "x"]),
        _VALUES | st.dictionaries(st.sampled_from(["text", "user", "stop", "top_k", "seed"]), _VALUES),
    )
)
def test_any_yaml_is_a_template_or_a_template_error(tmp_path_factory: pytest.TempPathFactory, table: Any) -> None:
    import yaml

    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump(table, allow_unicode=True), encoding="utf-8")
    with contextlib.suppress(TemplateError):
        Template.load(path)


def test_each_text_that_is_made_has_a_budget_of_its_own(tmp_path: Path) -> None:
    template = load(tmp_path, "task: text\nbase:\n  text: \"{% set much = 'ab' * 5000000 %}{{ request }}\"\n")
    assert [template.prompt(chat=False, request=word) for word in ("one", "two")] == ["one", "two"]
