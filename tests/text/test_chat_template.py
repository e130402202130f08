"""Chat templates: the real ones give the reference prompts, hostile ones are stopped."""

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizing import DATA, byte_level_metadata

from longra.errors import FormatError, TemplateError
from longra.files.checkpoint import Checkpoint, open_checkpoint
from longra.text.chat_template import ChatTemplate, chat_template
from support.real import real_model

REFERENCE = json.loads((DATA / "reference_tokens.json").read_text(encoding="utf-8"))
ENGLISH = [{"role": "user", "content": "Explain in three sentences why the sky is blue."}]
CHINESE = [
    {"role": "system", "content": "你是一位耐心的老师。"},
    {"role": "user", "content": "请用两句话介绍长城。"},
]


@pytest.mark.parametrize("name", ["smollm2", "qwen"])
def test_reference_conversations(name: str) -> None:
    with open_checkpoint(real_model(name)) as checkpoint:
        template = chat_template(checkpoint)
    assert template is not None
    expected = {case["id"]: case["text"] for case in REFERENCE[name]}
    assert template.render(ENGLISH) == expected["chat-en"]
    assert template.render(CHINESE) == expected["chat-zh"]
    assert not template.render(ENGLISH, add_generation_prompt=False).endswith("assistant\n")


def test_a_base_model_has_none() -> None:
    with open_checkpoint(real_model("gemma")) as checkpoint:
        assert chat_template(checkpoint) is None


def test_tools_are_written_as_they_are() -> None:
    with open_checkpoint(real_model("qwen")) as checkpoint:
        template = chat_template(checkpoint)
    assert template is not None
    tool = {"type": "function", "function": {"name": "天气", "parameters": {"<city>": "'&'"}}}
    assert json.dumps(tool, ensure_ascii=False) in template.render(ENGLISH, tools=[tool])


def render(source: str, **variables: Any) -> str:
    return ChatTemplate(source, {"bos_token": "<s>"}).render(ENGLISH, **variables)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ bos_token }}{{ eos_token }}", "<s>"),
        ("{% for i in 'abcd' %}\n  {% if i == 'c' %}{% break %}{% endif %}\n{{ i }}{% endfor %}", "ab"),
        ("{{ {'键': [1, none, '<b>']} | tojson }}", '{"键": [1, null, "<b>"]}'),
        ("{{ [1] | tojson(indent=2) }}", "[\n  1\n]"),
        ("{% generation %}{{ 'said' }}{% endgeneration %}", "said"),
        ("{{ strftime_now('%%') }}", "%"),
        ("{{ messages | map(attribute='role') | join('+') }}{{ 'a' ~ 1 ~ 'b' }}{{ 'ab' * 2 }}", "usera1babab"),
        ("{% set n = namespace(x='') %}{% for c in 'abc' %}{% set n.x = c ~ n.x %}{% endfor %}{{ n.x }}", "cba"),
        ("{% macro m(a, b=2) %}{{ a + b }}{% endmacro %}{{ m(1) }} {{ m(1, b=5) }}", "3 6"),
        ("{{ '%s is %d' % ('a', 1) }} {{ '{} {x}'.format(1, x=2) }}", "a is 1 1 2"),
        ("{{ 'a,b'.split(',') | list | length }}{{ ' x '.strip() }}{{ 'aXa' | replace('X', 'yy') }}", "2xayya"),
        ("{{ tools is none }} {{ documents is none }} {{ mode }}", "True True quiet"),
        ("{{ messages[1:] | length }} {{ messages[0].content[:7] }} {{ 1234.56 | round(1) }}", "0 Explain 1234.6"),
        ("{{ 'a\nb' | indent(2) }}|{{ 'x'.ljust(3) }}|{{ ', '.join(['a', 'b']) }}", "a\n  b|x  |a, b"),
    ],
)  # fmt: skip
def test_what_templates_may_use(source: str, text: str) -> None:
    assert render(source, mode="quiet") == text


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ raise_exception.__globals__ }}",
    "{{ strftime_now.__globals__['__builtins__'] }}",
    "{{ cycler.__init__.__globals__.os.system('true') }}",
    "{{ self._TemplateReference__context }}",
    "{{ '' | attr('__class__') }}",
    "{{ ['a'] | map(attribute='__class__') | list }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ messages.append(1) }}",
    "{{ messages[0].update({'role': 'system'}) }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_ways_out_of_the_sandbox(source: str) -> None:
    with pytest.raises(TemplateError, match=r"tried to leave its sandbox.*--raw"):
        render(source)


GROW = "{{% set n = namespace(x={0}) %}}{{% for i in range(99) %}}{{% set n.x = {1} %}}{{% endfor %}}{{{{ n.x }}}}"
BOMBS = [
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{% for i in range(99999) if range(99999) | list %}{% endfor %}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(90) }}",
    GROW.format("'ab'", "n.x ~ n.x"),
    GROW.format("'ab'", "n.x + n.x"),
    GROW.format("[1]", "[n.x, n.x]"),
    GROW.format("[1]", "(n.x, n.x)"),
    GROW.format("[1]", "{'a': n.x, 'b': n.x}"),
    GROW.format("[1]", "n.x * 2"),
    GROW.format("'ab'", "n.x.replace('a', n.x)"),
    GROW.format("'ab'", "n.x | replace('a', n.x)"),
    GROW.format("'ab'", "n.x.join(['a', n.x, 'b'])"),
    GROW.format("'ab'", "['a', n.x, 'b'] | join(n.x)"),
    GROW.format("'ab'", "'%s%s' % (n.x, n.x)"),
    GROW.format("'ab'", "'{0}{0}'.format(n.x)"),
    GROW.format("2", "n.x * n.x"),
    "{% set n = namespace(x='ab') %}{% for i in range(99) %}{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}{% endfor %}",
    "{{ 'a' * 10 ** 10 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ '{:>1000000000}'.format(1) }}",
    "{{ '{:{}}'.format(1, 1000000000) }}",
    "{{ 'a'.ljust(10 ** 9) }}",
    "{{ 'a'.zfill(10 ** 9) }}",
    "{{ '\t'.expandtabs(10 ** 9) }}",
    "{{ 'a'.translate({97: 'b' * 1000}) }}",
    "{{ [1] | tojson(indent=10 ** 9) }}",
    "{{ 'a\nb' | indent(10 ** 9) }}",
    "{{ 1.5 | round(10 ** 9, 'ceil') }}",
    "{{ ('a,' * 100000).split(',') | join('x' * 100000) }}",
    "{{ ('{0}' * 100000).format('a' * 100000) }}",
    "{{ ('%(a)s' * 100000) % {'a': 'a' * 100000} }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
]


@pytest.mark.parametrize("source", BOMBS)
def test_time_and_memory_are_limited(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longra.text.template_sandbox.MAX_SECONDS", 0.3)
    begin = time.perf_counter()
    with pytest.raises(TemplateError, match=r"was stopped: it .*--raw"):
        render(source)
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("{% if %}", "mistake in line 1"),
        ("\n\n{{ 'a' | nothing }}", "mistake in line 3: No filter named 'nothing'"),
        ("{{ raise_exception('System role not supported') }}", "refuses these messages: System role not supported"),
        ("{{ messages[0].name.first }}", "not there"),
        ("{% include 'other' %}", "failed: TypeError"),
        ("{{ 1 / 0 }}", "failed: ZeroDivisionError"),
        ("{% for i in range(10 ** 9) %}{% endfor %}", "Range too big"),
        ("{{ 'a' | center(9) }}", "No filter named 'center'"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "was stopped"),
        ("x" * 1_100_000, "1,100,000 characters"),
    ],
)
def test_wrong_templates(source: str, cause: str) -> None:
    with pytest.raises(TemplateError, match=cause) as caught:
        render(source)
    assert "--raw" in str(caught.value)


def test_a_template_that_was_stopped_can_be_used_again() -> None:
    template = ChatTemplate("{{ 'a' * messages[0].content | int }}")
    with pytest.raises(TemplateError):
        template.render([{"role": "user", "content": "99999999999"}])
    assert template.render([{"role": "user", "content": "3"}]) == "aaa"


def test_long_conversations_are_no_bombs() -> None:
    with open_checkpoint(real_model("qwen")) as checkpoint:
        template = chat_template(checkpoint)
    assert template is not None
    messages = [{"role": "user", "content": "word " * 40_000}, {"role": "assistant", "content": "好" * 400}] * 10
    assert len(template.render(messages)) > 2_000_000


@settings(max_examples=200)
@given(source=st.text("{}%~|+*()[]'\" abimx.=\n09_", max_size=40) | st.text(max_size=20))
def test_any_template_gives_text_or_an_error(source: str) -> None:
    with contextlib.suppress(TemplateError):
        assert isinstance(render(source), str)


def gguf(**extra: Any) -> Checkpoint:
    return Checkpoint("gguf", Path("a.gguf"), Path(), byte_level_metadata() | extra, {})


def test_gguf_templates_by_name() -> None:
    source = "{{ bos_token }}|{{ pad_token }}"
    checkpoint = gguf(**{"tokenizer.chat_template": source, "tokenizer.chat_template.tool_use": "tools"})
    default, tools = chat_template(checkpoint), chat_template(checkpoint, "tool_use")
    assert default is not None
    assert tools is not None
    assert default.render([]) == "<|endoftext|>|"
    assert tools.render([]) == "tools"
    assert chat_template(checkpoint, "other") is None
    assert chat_template(gguf()) is None


def folder_template(folder: Path, name: str = "default") -> str | None:
    template = chat_template(Checkpoint("safetensors", folder, folder, {}, {}), name)
    return None if template is None else template.render([])


def test_folders(tmp_path: Path) -> None:
    assert folder_template(tmp_path) is None
    (tmp_path / "chat_template.json").write_text('{"chat_template": "from json"}')
    assert folder_template(tmp_path) == "from json"
    settings = {"bos_token": {"content": "<s>"}, "chat_template": "{{ bos_token }}"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    assert folder_template(tmp_path) == "<s>"
    named = [{"name": "default", "template": "one"}, {"name": "rag", "template": "two"}]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    assert (folder_template(tmp_path), folder_template(tmp_path, "rag")) == ("one", "two")
    (tmp_path / "chat_template.jinja").write_text("文件", encoding="utf-8")
    (tmp_path / "additional_chat_templates").mkdir()
    (tmp_path / "additional_chat_templates" / "rag.jinja").write_text("three")
    assert (folder_template(tmp_path), folder_template(tmp_path, "rag")) == ("文件", "three")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(FormatError, match=r"chat_template\.jinja cannot be read"):
        folder_template(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(FormatError, match=r"tokenizer_config\.json"):
        folder_template(tmp_path)
