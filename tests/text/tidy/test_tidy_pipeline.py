"""The promises of the pipeline, on any text and for any choice of steps."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longra.errors import UsageError
from longra.text.tidy import DEFAULT_STEPS, SUMMARIES, Change, Step, parse_steps, tidy
from longra.text.tidy.change import Edit, apply_edits
from longra.text.tidy.document import Document

PIECES = [
    *(
        "a",
        "the ",
        "The cat sat. ",
        'He said "no." ',
        "She go. ",
        "a apple ",
        "go go ",
        "dont ",
        "Dr. ",
        "3.14",
        "e.g. ",
    ),
    *(
        "你好",
        "世界。",
        "漢字",
        "汉语，",
        "后面",
        "發",
        "发",
        "軟體",
        "我不知道。",
        "哈",
        "ＡＢＣ",
        "あ",
        "한국어",
        "　　",
    ),
    *("“", "”", '"', "'", "（", "）", "：", ":", "，", ",", ".", "。", "!", "？", "...", "……", "）。"),
    *("`", "``", "```", "```python\n", "~~~", "\n", "\n\n", "\n\n\n", " ", "  ", "    ", "\t", " \n"),
    *(
        "- ",
        "* ",
        "+ ",
        "1. ",
        "2) ",
        "> ",
        "# ",
        "##",
        "## 标题",
        "---",
        "***",
        "=====",
        "| a | b |",
        "\n|--|--|\n",
        "•",
    ),
    *("😀", "👨\u200d👩\u200d👧", "\x00", "\x07", "\r", "\r\n", "\u2028", "\x85", "\u200b", "\ufeff", "\x1b[31m"),
    *("Ã©", "â€™", "é", "e\u0301", "ﬁ", "\ue0f0", "Zqx", "Zqxq", "\ud800", "&lt;"),
    *("http://a.com/x中,", "$x_1$", "\\(a\\)", "<b>", "</b>", "[a](b中)", "C#", "#tag", "100%"),
    *("def f(x):\n  return x\n", "x=1\n", "import os\n", "    x = 1\n", "    他说。\n"),
]
mixed = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.tuples(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.integers(2, 30)).map(
        lambda x: x[0] * x[1]
    ),
    st.text(max_size=60),
)
variants = st.sampled_from(["variant", "variant:s", "variant:t", "variant:tw", "variant:hk"])
pipelines = st.lists(st.one_of(st.sampled_from(sorted(SUMMARIES)), variants), min_size=1, max_size=6)


def at_rest(text: str, steps: object) -> None:
    once = tidy(text, steps)  # type: ignore[arg-type]
    twice = tidy(once.text, steps)  # type: ignore[arg-type]
    assert (twice.text, twice.changes) == (once.text, ())
    assert not [note for note in once.notes if note.step == "pipeline"]


@pytest.mark.parametrize("step", [*SUMMARIES, "variant:simplified", "variant:traditional", "variant:taiwan"])
def test_each_step_comes_to_rest(step: str) -> None:
    @settings(max_examples=200)
    @given(mixed)
    def check(text: str) -> None:
        at_rest(text, step)

    check()


@settings(max_examples=600)
@given(mixed)
def test_the_default_pipeline_comes_to_rest(text: str) -> None:
    at_rest(text, None)


@settings(max_examples=600)
@given(mixed, pipelines)
def test_any_pipeline_comes_to_rest(text: str, steps: list[str]) -> None:
    at_rest(text, steps)


@settings(max_examples=200)
@given(mixed, pipelines)
def test_nothing_is_lost_in_silence(text: str, steps: list[str]) -> None:
    """The letters that went, went in a change; those that came, came in one."""
    result = tidy(text, steps)
    difference = count_letters(text)
    for change in result.changes:
        difference = add(difference, count_letters(change.after), 1)
        difference = add(difference, count_letters(change.before), -1)
    assert {k: n for k, n in difference.items() if n} == count_letters(result.text)


def count_letters(text: str) -> dict[str, int]:
    """Every character but CR, which a text of CR LF lines keeps and a mixed one may lose with its line."""
    counts: dict[str, int] = {}
    for character in text.replace("\r", ""):
        counts[character] = counts.get(character, 0) + 1
    return counts


def add(counts: dict[str, int], more: dict[str, int], sign: int) -> dict[str, int]:
    return {k: counts.get(k, 0) + sign * more.get(k, 0) for k in counts.keys() | more.keys()}


PROSE_STEPS = [name for name in SUMMARIES if name not in ("code", "markdown")]
CODE = "```python\nx  =  'sÃ© 漢字abc,好'   \n\n\n\nprint( x )  # go go\n```"


@pytest.mark.parametrize("step", PROSE_STEPS)
def test_prose_steps_leave_fenced_code_alone(step: str) -> None:
    assert CODE in tidy(f"Before it.\n\n{CODE}\n\nBehind it.\n\n{CODE}\n", step).text


@settings(max_examples=150)
@given(mixed, mixed, st.lists(st.sampled_from(PROSE_STEPS), min_size=1, max_size=4))
def test_code_blocks_survive_any_prose_pipeline(before: str, inside: str, steps: list[str]) -> None:
    inside = re.sub(r"[`~\r\ud800]", "", inside)
    block = f"```\n{inside}\n```"
    text = re.sub(r"[`~>\r\t]|    |^\s*([-*+•]|\d+[.)])", "", before, flags=re.MULTILINE) + f"\n\n{block}"
    assert tidy(text, steps).text.endswith(block)


@pytest.mark.parametrize("step", ["unicode", "whitespace", "cjk", "variant:s", "grammar", "markdown"])
def test_code_spans_are_left_alone(step: str) -> None:
    span = "`a  漢字abc, an test sÃ©`"
    assert span in tidy(f"An text 中文{span},中文 and ``x`  漢``.", step).text


def test_a_text_as_code_is_left_alone_by_other_steps() -> None:
    text = "int main(void) {  return  0;  }   \n\n\n\n// 中文abc\n"
    assert tidy(text, "whitespace,cjk,markdown,code").text == text


def test_changes_say_where_and_what() -> None:
    result = tidy("One.\n\nTwo  words\x07 here.\n", "unicode,whitespace")
    assert result.text == "One.\n\nTwo words here.\n"
    assert result.changes == (
        Change("unicode", "control character", 3, 6, "Two  words\x07 here.", "Two  words here."),
        Change("whitespace", "doubled space", 3, 9, "  ", " "),
    )


def test_steps_run_in_the_order_given() -> None:
    text = "Done. Then 漢字"
    assert [change.step for change in tidy(text, "variant:s,sentence").changes] == ["variant", "sentence"]
    assert [change.step for change in tidy(text, "sentence,variant:s").changes] == ["sentence"]


def test_steps_that_undo_each_other_end() -> None:
    once = tidy("漢字和汉字", "variant:t,variant:s")
    assert once.text == tidy(once.text, "variant:t,variant:s").text == "汉字和汉字"


def test_crlf_is_kept_where_every_line_has_it() -> None:
    assert tidy("One  two.\r\n\r\n\r\n\r\n```\r\na  b\r\n```\r\n").text == "One two.\r\n\r\n```\r\na  b\r\n```\r\n"
    assert tidy("One.\r\nTwo.\nThree.\r", "whitespace").text == "One.\nTwo.\nThree.\n"


def test_a_mixed_text_that_ends_up_with_crlf_is_at_rest() -> None:
    at_rest('He said "no." \r\n\nHe said "no." \r\n\nHe said "no." \r\n\n', ["paragraphs", "markdown"])


@pytest.mark.parametrize("text", ["", "\n", " ", "\r\n", "\x00", "`", "```", "。", ".", "#", "-"])
def test_the_least_texts(text: str) -> None:
    for step in SUMMARIES:
        at_rest(text, step)
    at_rest(text, None)


def test_half_surrogates_are_replaced_and_reported() -> None:
    result = tidy("a\ud800b", "whitespace")
    assert result.text == "a\ufffdb"
    assert [(change.kind, change.offset) for change in result.changes] == [("half surrogate", 1)]


def test_an_edit_that_does_not_fit_is_refused() -> None:
    assert apply_edits("abc", [Edit(0, "a", "x", ""), Edit(1, "b", "", "")]) == "xc"
    for edits in ([Edit(1, "c", "", "")], [Edit(0, "ab", "", ""), Edit(1, "b", "", "")]):
        with pytest.raises(ValueError, match="does not fit"):
            apply_edits("abc", edits)


def test_parse_steps() -> None:
    assert parse_steps(None) == parse_steps("") == parse_steps("default") == [Step(name) for name in DEFAULT_STEPS]
    assert parse_steps(" unicode , Variant:TW") == [Step("unicode"), Step("variant", "taiwan")]
    assert parse_steps("variant") == [Step("variant", "auto")]
    assert parse_steps("default,grammar")[-1] == Step("grammar")
    assert str(Step("variant", "taiwan")) == "variant:taiwan"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("unicod", "did you mean 'unicode'"),
        ("sentences", "did you mean 'sentence'"),
        ("xyzzy", "choose from unicode, whitespace"),
        ("variant:taiwn", "did you mean 'taiwan'"),
        ("variant:", "choose from auto"),
        ("cjk:tw", "takes no option"),
        ("unicode,,cjk", "empty name"),
    ],
)
def test_wrong_steps(spec: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        parse_steps(spec)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a\n```\nb\n```\nc", [False, True, False]),
        ("~~~\nb\n```\nc\n~~~~\nd", [True, False]),
        ("````\n```\n````\n", [True, False]),
        ("a\n```\nnever closed\n\n# b", [False, True]),
        ("- a\n\n      ```\n      b\n      ```\nc", [False, True, False]),
        ("1. a\n   ```\n   b\n```\nc", [False, True, False]),  # a closing fence further left, as models write it
        ("> ```\n> b\n> ```\nc", [False, True, False][1:]),
        ("> ```\n> b\nc", [True, False]),
        ("a\n\n    x = 1\n\n    y = 2\n\nb", [False, True, False]),
        ("a\n    x = 1", [False]),  # goes on with the paragraph
        ("- a\n\n    b", [False]),
        ("a\n\n    他说：“好。”\n", [False]),  # paragraphs indented by four spaces
        ("a\n\n    It was a dark night.\n", [False]),
        ("``` a`b\nc", [False]),
        ("```\na\n    ```\nb\n```\nc", [True, False]),  # an indented fence is content
        ('"""\n    ```\n    b\n    ```\n"""', [False]),
    ],
)
def test_what_counts_as_a_code_block(text: str, kinds: list[bool]) -> None:
    document = Document(text)
    assert [block.is_code for block in document.blocks] == kinds
    assert "\n".join(text[block.start : block.end] for block in document.blocks) == text
