"""Segments are read as sacrebleu reads them, or from fields; what does not fit is told with its line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from longra.errors import LongraError
from longra.evaluate.references.segments import read_references, read_segments

ROWS = [{"id": 1, "text": "a", "refs": ["x", "y"]}, {"id": 2, "text": "b\nc", "refs": ["z"]}]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)) + "\n\n", encoding="utf-8")
    return tmp_path


def test_lines(folder: Path) -> None:
    (folder / "a.txt").write_bytes("\r\none\r\n two \u3000\r\nthree\u2028still\x0cthree\rstill\n\n中文".encode())
    assert read_segments("a.txt") == ["", "one", " two", "three\u2028still\x0cthree\rstill", "", "中文"]


def test_lines_give_sacrebleus_number(folder: Path) -> None:
    """The commands of both, on files with all that makes reading hard."""
    (folder / "h.txt").write_bytes("The cat sat.\r\n\r\n今天 下雨\u2028了\r x \n\x0b\nlast one here now".encode())
    (folder / "r.txt").write_bytes(
        "The cat sat down.\r\n \r\n今天 下雪\u2028了\r x\n\n\xa0last one here, now\n".encode()
    )
    options = ["-f", "text", "-w", "2", "--confidence", "-tok", "zh"]
    theirs, ours = (
        subprocess.run([sys.executable, "-m", *words], capture_output=True, check=True)
        for words in (
            ["sacrebleu", "r.txt", "-i", "h.txt", *options],
            ["longra", "evaluate", "bleu", "h.txt", "r.txt", "--tokenize", "zh"],
        )
    )
    assert ours.stdout == theirs.stdout


def test_a_byte_order_mark_is_no_text(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"\xef\xbb\xbfone\ntwo\n")
    assert read_segments("a.txt") == ["one", "two"]
    (folder / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"t": "one"}\n')
    assert read_segments("a.jsonl:t") == ["one"]


def test_fields(folder: Path) -> None:
    assert read_segments("rows.jsonl:text") == ["a", "b\nc"]
    (folder / "plain.txt").write_text("p\nq\n", encoding="utf-8")
    assert read_references(["rows.jsonl:refs", "plain.txt"], 2) == [["x", "y", "p"], ["z", "q"]]


def test_a_file_may_be_called_like_a_field(folder: Path) -> None:
    (folder / "odd.jsonl:text").write_text("line\n", encoding="utf-8")
    assert read_segments("odd.jsonl:text") == ["line"]


@pytest.mark.parametrize(
    ("content", "source", "says"),
    [
        (b"", "f.txt", "f.txt is empty"),
        (b"ok\nb\xe4h\n", "f.txt", r"not UTF-8 \(byte 0xe4, line 2\)"),
        (b'{"text": "a"}\n', "f.jsonl", "has fields; say which one is the text, for example f.jsonl:text"),
        (b'{"a": 1, "answer": "b"}\n', "f.jsonl", "for example f.jsonl:answer"),
        (b'{"a": 1, "b": "c"}\n', "f.jsonl:text", "line 1 has no field 'text'; it has a, b"),
        (b'{"a": "b"}\n\n{"a": 3}\n', "f.jsonl:a", "line 3: the field is a number, not a text"),
        (b'{"a": "b"}\n{"a": nul}\n', "f.jsonl:a", "line 2 is not JSON: Expecting value at column 7"),
        (b'{"a": "\\ud83d b"}\n', "f.jsonl:a", r"line 1 has half a character \('\\ud83d'\)"),
        (b'{"a": ' + b"[" * 10**5, "f.jsonl:a", "line 1 cannot be read: .*recursion"),
        (b"[1]\n", "f.jsonl:a", "line 1 is a list, not an object"),
    ],
)
def test_what_cannot_be_read(content: bytes, source: str, says: str, folder: Path) -> None:
    (folder / source.partition(":")[0]).write_bytes(content)
    with pytest.raises(LongraError, match=says):
        read_segments(source)


def test_references_that_do_not_fit(folder: Path) -> None:
    with pytest.raises(LongraError, match=r"rows.jsonl:text has 2 segments and the hypotheses have 3"):
        read_references(["rows.jsonl:text"], 3)
    (folder / "none.jsonl").write_text('{"refs": []}\n', encoding="utf-8")
    with pytest.raises(LongraError, match="line 1: the field is an empty list"):
        read_references(["none.jsonl:refs"], 1)
    with pytest.raises(LongraError, match=r"cannot read no.txt: No such file"):
        read_references(["no.txt"], 1)
