"""`longra tidy` as users type it."""

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from longra.cli import main

MESSY = "Hello   world.\n\n\n\n你好world,好.\n\n```\na  =  1\n```\n\nThis is unfin"
TIDY = "Hello world.\n\n你好 world，好。\n\n```\na  =  1\n```"


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    path = tmp_path / "messy.md"
    path.write_text(MESSY, encoding="utf-8")
    return path


def run(*words: str | Path, stdin: bytes | None = None, monkeypatch: pytest.MonkeyPatch | None = None) -> int:
    if monkeypatch is not None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin or b"")))
    return main(["tidy", *map(str, words)])


def test_a_file_to_stdout(messy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(messy) == 0
    assert capsys.readouterr() == (TIDY, "removed: 1 unfinished sentence; --diff shows what\n")
    assert messy.read_text(encoding="utf-8") == MESSY


@pytest.mark.parametrize("words", [(), ("-",)])
def test_stdin(words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(*words, stdin=MESSY.encode(), monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out == TIDY


def test_steps(messy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(messy, "--steps", "sentence") == 0
    assert capsys.readouterr().out == MESSY.removesuffix("\n\nThis is unfin")


def test_json(messy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(messy, "--json", "--steps", "cjk,variant:tw") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {
        "text": MESSY.replace("你好world,好.", "你好 world，好。"),
        "steps": ["cjk", "variant:taiwan"],
        "changes": [
            {
                "step": "cjk",
                "kind": "spacing or punctuation",
                "line": 5,
                "offset": 18,
                "before": "你好world,好.",
                "after": "你好 world，好。",
            }
        ],
        "notes": [],
    }


def test_in_place_and_again(messy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    messy.chmod(0o640)
    assert run(messy, "--in-place") == 0
    assert messy.read_bytes() == TIDY.encode()
    assert messy.stat().st_mode & 0o777 == 0o640
    assert capsys.readouterr() == ("", f"{messy}: 4 changes\n")
    assert run(messy, "--in-place") == 0
    assert capsys.readouterr().err == f"{messy}: 0 changes\n"
    assert list(messy.parent.iterdir()) == [messy]


def test_output_keeps_crlf(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"a  b\r\n\r\n\r\n\r\nc.\r\n")
    assert run(tmp_path / "in", "-o", tmp_path / "out") == 0
    assert (tmp_path / "out").read_bytes() == b"a b\r\n\r\nc.\r\n"


def test_output_to_a_device_leaves_it_a_device(messy: Path) -> None:
    assert run(messy, "-o", os.devnull) == 0
    assert not Path(os.devnull).is_file()


def test_diff(messy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert run(messy, "--diff") == 0
    plain = capsys.readouterr().out
    assert "\x1b" not in plain
    assert "\n-Hello   world.\n" in plain
    assert "\n+Hello world.\n" in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert run(messy, "--diff") == 0
    assert "\x1b[31m-Hello   world.\x1b[0m\n" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(messy, "--diff") == 0
    assert capsys.readouterr().out == plain


def test_the_diff_has_colours_on_a_terminal(messy: Path) -> None:
    main_end, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    for name in ("NO_COLOR", "FORCE_COLOR"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "longra", "tidy", str(messy), "--diff"]
    subprocess.run(command, stdout=terminal, env=environment, check=True, timeout=60)
    os.close(terminal)
    shown = os.read(main_end, 65536).decode()
    os.close(main_end)
    assert "\x1b[32m+Hello world.\x1b[0m" in shown


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    from longra.text.tidy import SUMMARIES

    assert run("--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(SUMMARIES)
    assert run("--list", "--json") == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    assert {step["name"]: step["summary"] for step in steps} == SUMMARIES


def test_notes_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.md").write_text("```python\ndef f(:\n```\n", encoding="utf-8")
    assert run(tmp_path / "a.md", "--steps", "code") == 0
    out, err = capsys.readouterr()
    assert out == "def f(:\n"
    assert "warning: code, line 1: left as it is, for it is not valid Python" in err


def test_another_encoding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_bytes("你好abc".encode("gb18030"))
    assert run(tmp_path / "a.txt", "--encoding", "gb18030") == 0
    assert capsys.readouterr().out == "你好 abc"


def test_empty_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(stdin=b"", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("FILE", "--steps", "sentense"), 2, "did you mean 'sentence'"),
        (("FILE", "--steps", "variant:simple"), 2, "did you mean 'simplified'"),
        (("FILE", "--json", "--diff"), 2, "give one of them"),
        (("FILE", "--in-place", "-o", "x"), 2, "give one of them"),
        (("--in-place",), 2, "--in-place needs a FILE"),
        (("FILE", "--encoding", "utf-9"), 2, "there is no encoding 'utf-9'"),
        (("nowhere.txt",), 1, "cannot read nowhere.txt: No such file or directory"),
        (("FILE", "-o", "no/folder/x"), 1, "cannot write no/folder/x"),
    ],
)
def test_errors(words: tuple[str, ...], code: int, says: str, messy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*(messy if word == "FILE" else word for word in words)) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert says in err


def test_bytes_that_are_not_utf8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"ok\n\xc4\xe3\xba\xc3")
    assert run(path, "--in-place") == 1
    assert "is not utf-8 (byte 0xc4 at 3, line 2); say how it is stored" in capsys.readouterr().err
    assert path.read_bytes() == b"ok\n\xc4\xe3\xba\xc3"
