"""What is not language stays as it is, in every format, whatever the text."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longra.tasks.translation.document import Document
from longra.tasks.translation.formats import READERS, read_document
from longra.tasks.translation.placeholders import without
from longra.text.tidy.document import Document as Tidy

FRAGMENTS = [
    *("\n", "\n", "\n\n", "\r\n", "\ufeff", " ", "  ", "\t", "    ", "> ", "- ", "1. ", "# ", "## ", "|", "| a | b |"),
    *(
        "---",
        "===",
        "|---|---|",
        "```",
        "```py\nx = 1\n```",
        "~~~",
        "`code`",
        "``",
        "**",
        "*",
        "_",
        "~~",
        "<b>",
        "</b>",
    ),
    *(
        "<!-- note -->",
        "<!--",
        "<pre>",
        "$$",
        "$x$",
        "[a](http://b.c/d)",
        "[a]: http://b",
        "![",
        "](",
        "[^1]",
        "{name}",
    ),
    *(
        "%s",
        "%(x)d",
        "${y}",
        "%",
        "{",
        "}",
        "{\\an8}",
        "&amp;",
        "https://e.org/a?b=c.",
        "a@b.co",
        "\\",
        '"',
        '\\"',
        "\\n",
    ),
    *(
        "Hello there.",
        "He said: “No.” Then he left!",
        "word",
        "Dr. Who",
        "你好。",
        "世界，",
        "3.14",
        "Ünïcode",
        "\u2028",
        "\x00",
    ),
    *("1\n00:00:01,000 --> 00:00:02,500\n", "2", "00:01:00.5 --> 00:02:00.0\n", "- Hi.\n- Yes?"),
    *(
        'msgid ""\nmsgstr ""\n"Language: zh\\n"\n',
        'msgid "A %s."\nmsgstr ""\n',
        'msgctxt "c"\n',
        'msgid_plural "As"\n',
        "#~ ",
    ),
    *('msgstr[0] ""\n', 'msgstr[1] "x"\n', '"more"\n', "#, fuzzy\n", "msgid"),
]
FEW = settings(max_examples=50)
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=5)), max_size=25).map("".join)
TIMING = re.compile(r"^(?:\d+\r?\n)?[\d:]+[,.]\d+ --> .*$", re.MULTILINE)
FORMS = sorted(READERS)


def wanted(text: str) -> bool:
    return any(map(str.isalpha, without(text)))


def written(document: Document, translations: list[str | None], spaced: bool = True) -> str:
    return "".join(document.write(iter(translations), spaced))


@pytest.mark.parametrize("form", FORMS)
@FEW
@given(text=TEXTS, spaced=st.booleans())
def test_a_text_that_stays_is_the_same_to_the_byte(form: str, text: str, spaced: bool) -> None:
    document = read_document(text, form, wanted)
    assert written(document, [None] * len(document.segments), spaced) == text
    if form != "po":  # there an empty translation is filled even by the same words
        assert written(document, [segment.text for segment in document.segments], spaced) == text


@pytest.mark.parametrize("form", FORMS)
@FEW
@given(text=TEXTS)
def test_nothing_to_translate(form: str, text: str) -> None:
    document = read_document(text, form, lambda _: False)
    assert (list(document.passages), written(document, [])) == ([], text)


@pytest.mark.parametrize(
    ("form", "text"), [("md", "```\ncode here\n```\n"), ("md", "---\ntitle: A\n---\n"), ("srt", "1\n")]
)
def test_a_byte_order_mark_hides_nothing_of_the_first_line(form: str, text: str) -> None:
    document = read_document("\ufeff" + text, form, wanted)
    assert document.segments == read_document(text, form, wanted).segments == []
    assert written(document, []) == "\ufeff" + text


@pytest.mark.parametrize("form", FORMS)
@FEW
@given(text=TEXTS)
def test_segments_are_lines_with_language_in_them(form: str, text: str) -> None:
    for segment in read_document(text, form, wanted).segments:
        assert wanted(segment.text)
        assert segment.text == segment.text.strip()
        assert "\n" not in segment.text
        assert 1 <= segment.line <= text.count("\n") + 1


@FEW
@given(text=TEXTS)
def test_a_line_for_each_line(text: str) -> None:
    document = read_document(text, "lines", wanted)
    translated = written(document, ["XY"] * len(document.segments), spaced=False)
    before, after = text.split("\n"), translated.split("\n")
    assert len(before) == len(after)
    assert all(new == old for old, new in zip(before, after, strict=True) if not wanted(old))


@FEW
@given(text=TEXTS)
def test_code_in_markdown_never_changes(text: str) -> None:
    document = read_document(text, "md", wanted)
    for passage in document.passages:
        for block in Tidy(text).blocks:
            assert not block.is_code or passage.end <= block.start or passage.start >= block.end


@FEW
@given(text=TEXTS)
def test_numbers_and_timings_of_subtitles_never_change(text: str) -> None:
    document = read_document(text, "srt", wanted)
    translated = written(document, ["Xy z."] * len(document.segments))
    assert TIMING.findall(translated) == TIMING.findall(text)


@FEW
@given(
    message=st.lists(st.sampled_from(["Open.", "a\\b", 'say "x"', "\n", "\t", " ", "%d", "é"]), min_size=1).map("".join)
)
def test_a_catalogue_reads_what_it_wrote(message: str) -> None:
    import polib

    entry = polib.POEntry(msgid=message)
    text = f"{entry}\n"
    document = read_document(text, "po", wanted)
    filled = written(document, [segment.text for segment in document.segments])
    (read,) = polib.pofile(filled)
    assert read.msgid == message
    assert read.msgstr == (message if document.segments else "")
    assert not read_document(filled, "po", wanted).segments or read.msgstr == ""
