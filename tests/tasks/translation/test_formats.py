"""What is a segment in each format, and where its translation comes to stand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from longra.errors import UsageError
from longra.tasks.translation import format_of
from longra.tasks.translation.formats import read_document
from longra.tasks.translation.formats.srt import balanced
from longra.tasks.translation.placeholders import without


def wanted(text: str) -> bool:
    return any(map(str.isalpha, without(text)))


def segments(text: str, form: str) -> list[str]:
    return [segment.text for segment in read_document(text, form, wanted).segments]


def translated(text: str, form: str, translate: Callable[[str], str | None] = str.upper, spaced: bool = True) -> str:
    document = read_document(text, form, wanted)
    return "".join(document.write(iter([translate(segment.text) for segment in document.segments]), spaced))


def test_wrapped_text_is_read_as_paragraphs() -> None:
    wrapped = "This paragraph was wrapped by a program that fills lines up to\nsixty-two columns. It goes on."
    assert segments(wrapped, "txt") == [
        "This paragraph was wrapped by a program that fills lines up to sixty-two columns.",
        "It goes on.",
    ]
    chinese = "这一段文字是按照固定的宽度换行的，每一行都写满了汉字，所以换\n行没有意义。"
    assert segments(chinese, "txt") == [chinese.replace("\n", "")]


@pytest.mark.parametrize(
    "text", ["Roses are red\nViolets are blue", "Ann Smith\n5 Long Road\n\tLondon", "- one\n- two"]
)
def test_lines_that_stand_for_themselves(text: str) -> None:
    assert segments(text, "txt") == [line.strip("-\t ") for line in text.split("\n")]


def test_between_sentences_there_is_what_the_language_puts_there() -> None:
    assert translated("One here. Two here.", "txt", lambda _: "一。", spaced=False) == "一。一。"
    assert translated("一在此。二在此。", "txt", lambda _: "One.") == "One. One."
    assert translated("One here.\n  Two here.", "txt", lambda _: "一。", spaced=False) == "一。\n  一。"
    keep_first = iter([None, "二。"])
    assert translated("One here. Two here.", "txt", lambda _: next(keep_first), spaced=False) == "One here.二。"


def test_sentences_do_not_end_in_placeholders_or_abbreviations() -> None:
    text = "See https://e.org/a?b=c. Dr. Who has {a.b} or `x. Y`. The end…and more."
    assert segments(text, "txt") == ["See https://e.org/a?b=c.", "Dr. Who has {a.b} or `x. Y`.", "The end…and more."]


MARKDOWN = """---
title: Not this
---
# The *title* #

Some prose that is
wrapped, with `code`.\x20\x20
After a break. **Strong words.**

> A quotation
> goes on
1. An item
   goes on. Second.
   - [ ] A task

| Head | `a|b` |
|------|:-----:|
| a \\| b | c |

```python
code
```

    indented = code

[label]: http://example.org/Not
[^1]: A note.
<div align="center">
In HTML.
</div>

Under
=====
<!-- comment
more -->
$$
x = y
$$
![Picture](a.png) [link][label]
"""


def test_markdown() -> None:
    assert segments(MARKDOWN, "md") == [
        *("The *title*", "Some prose that is wrapped, with `code`.", "After a break.", "Strong words."),
        *(
            "A quotation goes on",
            "An item goes on.",
            "Second.",
            "A task",
            "Head",
            "a \\| b",
            "c",
            "A note.",
            "In HTML.",
        ),
        *("Under", "![Picture](a.png) [link][label]"),
    ]
    lines = translated(MARKDOWN, "md", lambda _: "X").split("\n")
    assert lines[3:9] == ["# X #", "", "X  ", "X **X**", "", "> X"]
    assert lines[9:16] == ["1. X X", "   - [ ] X", "", "| X | `a|b` |", "|------|:-----:|", "| X | X |", ""]


@pytest.mark.parametrize("sign", ["`<pre>`", "`$$`", "`<!--`"])
def test_signs_in_code_hide_nothing(sign: str) -> None:
    assert segments(f"Write {sign} here.\n\nThen go on.\n\n```\n<!--\n```\n\nEnd.", "md")[1:] == ["Then go on.", "End."]


@pytest.mark.parametrize(
    ("translation", "line", "cell"),
    [
        ("# X", r"\# X", "# X"),
        ("- X", r"\- X", "- X"),
        ("12. X", r"12\. X", "12. X"),
        ("> X", r"\> X", "> X"),
        ("#X 3.5", "#X 3.5", "#X 3.5"),
        ("a | b `c|d`", "a | b `c|d`", r"a \| b `c|d`"),
    ],
)
def test_a_translation_makes_no_new_blocks(translation: str, line: str, cell: str) -> None:
    assert translated("Text", "md", lambda _: translation) == line
    assert translated("| Text |\n|---|\n", "md", lambda _: translation) == f"| {cell} |\n|---|\n"


def test_subtitles() -> None:
    text = (
        "1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>Hello there,\r\nmy friend.</i>\r\n\r\n"
        "2\r\n00:00:03,000 --> 00:00:04,000 X1:40\r\n- Hi.\r\n- And you?\r\n"
        "3\r\n00:00:05,000 --> 00:00:06,000\r\n{\\an8}12 monkeys\r\n\r\n4\r\n00:00:07,000 --> 00:00:08,000\r\n\r\n42"
    )
    assert segments(text, "srt") == ["Hello there, my friend.", "Hi.", "And you?", "12 monkeys"]
    assert translated(text, "srt") == (
        text.replace("Hello there,\r\nmy friend.", "HELLO THERE,\r\nMY FRIEND.")
        .replace("Hi.", "HI.")
        .replace("And you?", "AND YOU?")
        .replace("monkeys", "MONKEYS")
    )


@pytest.mark.parametrize(
    ("text", "count", "spaced", "lines"),
    [
        ("One two three four.", 2, True, ["One two", "three four."]),
        ("I see `a b` there.", 2, True, ["I see", "`a b` there."]),
        ("你好，我的老朋友。", 2, False, ["你好，", "我的老朋友。"]),
        ("你好。", 1, False, ["你好。"]),
        ("Oh!", 2, True, ["Oh!"]),
    ],
)
def test_subtitles_keep_their_lines(text: str, count: int, spaced: bool, lines: list[str]) -> None:
    assert balanced(text, count, spaced) == lines


CATALOGUE = """msgid ""
msgstr ""
"Plural-Forms: nplurals=2; plural=n != 1;\\n"

#, c-format
msgid "Hello %s"
msgstr ""

msgctxt "menu"
msgid ""
"One. Two.\\n"
"Say \\"three\\"\\n"
msgstr ""

msgid "%d file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""

#, fuzzy
msgid "Done"
msgstr "Fertig"

msgid "%s: %d"
msgstr ""

#~ msgid "Old"
#~ msgstr ""
"""


def test_catalogues() -> None:
    assert segments(CATALOGUE, "po") == ["Hello %s", "One.", "Two.", 'Say "three"', "%d file", "%d files"]
    filled = (
        CATALOGUE.replace('"Hello %s"\nmsgstr ""', '"Hello %s"\nmsgstr "HELLO %S"')
        .replace('\\n"\nmsgstr ""\n\nmsgid "%d', '\\n"\nmsgstr ""\n"ONE. TWO.\\n"\n"SAY \\"THREE\\"\\n"\n\nmsgid "%d')
        .replace('[0] ""', '[0] "%D FILE"')
        .replace('[1] ""', '[1] "%D FILES"')
    )
    assert translated(CATALOGUE, "po") == filled


def test_a_message_of_which_a_sentence_fails_stays_empty() -> None:
    text = 'msgid "One. Two."\nmsgstr ""\n'
    assert translated(text, "po", lambda segment: None if segment == "Two." else "X") == text


def test_the_one_form_of_a_language_without_plurals_is_made_from_the_plural() -> None:
    assert segments('msgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] ""\n', "po") == ["%d files"]


def test_chains_begin_at_headings_and_hold_two_pages_at_most() -> None:
    text = "".join(f"# Heading {i}\n\n" + "A line here. And more. " * 6 + "\n\n" for i in range(6))
    sizes = [[len(passage.segments) for passage in chain] for chain in read_document(text, "md", wanted).chains]
    assert sizes == [[1, 12]] * 6
    lines = read_document("A line here.\n" * 50, "lines", wanted)
    assert [len(chain) for chain in lines.chains] == [20, 20, 10]


def test_formats_by_suffix() -> None:
    assert [format_of(Path(name)) for name in ("a.TXT", "a", "a.md", "a.srt", "a.pot")] == [
        "txt",
        "txt",
        "md",
        "srt",
        "po",
    ]
    with pytest.raises(UsageError, match=r"a\.docx ends in \.docx; say how to read it: --format txt, md, srt or po"):
        format_of(Path("a.docx"))
