"""`longra translate` as users type it."""

import json
import re
import time
from pathlib import Path

import pytest
from running import Live, longra

from longra.cli import main

TEMPLATE = """task: translate
chat:
  user: "Say it in {{ target }}: {{ text }}"
  stop: [" "]
sampling: {temperature: 0}
"""
CATALOGUE = "\n".join(f'msgid "Open file number {number}."\nmsgstr ""\n' for number in range(24))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("template") / "short.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    return str(path)


def test_markdown_into_chinese(qwen: Path, tmp_path: Path) -> None:
    page, terms, out = tmp_path / "a.md", tmp_path / "terms.csv", tmp_path / "a.zh.md"
    code = "```sh\nls -l  # list the files\n```\n"
    page.write_text(
        "# Heart failure\r\n\r\nRun `pip install x`, then open [the page](http://e.org/a?b=1).\n\n"
        f"{code}\n- 42 %\n- Hello, {{name}}!\n",
        encoding="utf-8",
        newline="",
    )
    terms.write_text("heart failure,心力衰竭\n", encoding="utf-8")
    words = ("-f", str(page), "--to", "zh", "--from", "en", "-m", str(qwen), "--glossary", str(terms))
    done = longra("translate", *words, "-o", str(out), "--json")
    assert done.code == 0
    text = out.read_bytes().decode()
    shown = json.loads(done.out)
    assert shown["text"] == text
    lines = text.split("\n")
    assert lines[0] == "# 心力衰竭\r"
    assert re.fullmatch(r".*`pip install x`.*\[.*\]\(http://e\.org/a\?b=1\).*", lines[2])
    assert f"\n\n{code}\n- 42 %\n- " in text
    assert lines[-2].count("{name}") == 1
    assert len(re.findall(r"[\u4e00-\u9fff]", text)) > 10
    assert [(done["line"], bool(done["target"])) for done in shown["segments"]] == [(1, True), (3, True), (10, True)]
    assert (shown["from"], shown["to"], shown["warnings"]) == ("en", "zh", 0)
    assert "a.zh.md: 3 segments translated into Chinese" in done.err
    assert not out.with_name("a.zh.md.journal").exists()


def test_a_killed_translation_goes_on(smollm2: Path, template: str, tmp_path: Path) -> None:
    source, out, whole = tmp_path / "a.po", tmp_path / "b.po", tmp_path / "c.po"
    source.write_text(CATALOGUE, encoding="utf-8")
    journal = out.with_name("b.po.journal")
    words = ["translate", "-f", str(source), "--to", "fr", "-m", str(smollm2), "--template", template]
    words += ["--strict-cache", "--output"]  # what was read and what was written have other last bits
    with Live(*words, str(out)):
        wait_for_lines(journal, 3)  # then the process is killed
    killed = journal.read_bytes()
    with Live(*words, str(out)) as live:
        wait_for_lines(journal, killed.count(b"\n") + 3)
        second = longra(*words, str(out))
        assert second.code == 1
        assert "another translation is using" in second.err
        live.interrupt()
        assert live.end() == 130
    assert journal.read_bytes().startswith(killed)
    assert not out.exists()
    assert re.search(r"\d+ of 24 segments are kept; the same command goes on", live.output)
    kept = journal.read_bytes().count(b'{"key"')
    done = longra(*words, str(out))
    assert f"b.po.journal: {kept} segments of an interrupted translation" in done.err
    assert done.code == 0
    assert not journal.exists()
    assert longra(*words, str(whole)).code == 0
    assert out.read_bytes() == whole.read_bytes() != source.read_bytes()


def wait_for_lines(path: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.usefixtures("default_installed")
class TestTheDefaultModel:
    """What does not depend on what the model writes."""

    def test_nothing_to_translate_comes_back_byte_for_byte(self, tmp_path: Path) -> None:
        data = "\ufeff```\r\ncode here\r\n```\n\n| 1 | 20 % |\n\n<br/> {name} https://e.org/".encode()
        source, out = tmp_path / "a.md", tmp_path / "b.md"
        source.write_bytes(data)
        assert main(["translate", "-f", str(source), "--to", "zh", "-o", str(out)]) == 0
        assert out.read_bytes() == data

    def test_a_model_that_fails_is_told_of(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        text = "1\n00:00:01,000 --> 00:00:02,000\nWhat is it?\n"
        source = tmp_path / "a.srt"
        source.write_text(text, encoding="utf-8")
        assert main(["translate", "-f", str(source), "--to", "ko", "-n", "3"]) == 0
        out, err = capsys.readouterr()
        assert out == text
        assert re.search(r"a\.srt, line 3, “What is it\?”: .*; it stays as it was\n", err)
        assert "warning: 1 of 1 segment should be looked at" in err
        assert "is in Hangul script" in err

    def test_show_prompt(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["translate", "Hello there.", "--to", "de", "--from", "english", "--show-prompt"]) == 0
        out, err = capsys.readouterr()
        assert out.startswith("<|im_start|>system\nYou are a translator. Translate what the user writes from English")
        assert out.endswith("Translate into German:\nHello there.<|im_end|>\n<|im_start|>assistant\n")
        assert "template: " in err
        assert re.search(r"temperature +0\n", err)
        assert re.search(r"tidy +cjk\n", err)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("Hi", "--to", "germn"), 2, "there is no language 'germn'; did you mean german?"),
        (("Hi",), 2, "Missing option '--to'"),
        (("Hi", "--to", "de", "-f", "FILE"), 2, "TEXT and --file are two texts"),
        (("-f", "x.docx", "--to", "de"), 2, "--format txt, md, srt or po"),
        (("-f", "nowhere.txt", "--to", "de"), 1, "cannot read nowhere.txt"),
        (
            ("-f", "FILE", "--to", "de", "--aligned", "--format", "md"),
            2,
            "--aligned gives a line for each line of plain",
        ),
        (("Hi", "--to", "de", "--glossary", "FILE"), 1, "line 1: 'no commas' has no translation"),
        (("Hi", "--to", "de", "-t", "-1"), 2, "temperature is -1.0"),
    ],
)
def test_errors(
    words: tuple[str, ...], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("no commas\n", encoding="utf-8")
    assert main(["translate", *(str(file) if word == "FILE" else word for word in words)]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert says in err
