"""`longra logs`: what is shown of the log, and what is removed."""

import json
from pathlib import Path

import pytest
from running import Live, longra

from longra.cli import doctor
from longra.cli.app import run
from longra.library.paths import chat_log_file
from longra.tasks.chat_log import ChatLog


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ChatLog:
    """Two conversations: one with a second answer, a summary and a message without an answer, and one in Chinese."""
    monkeypatch.setenv("LONGRA_HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    log = ChatLog(chat_log_file())
    last = None
    for question, answer, finish_reason in (
        ("Who invented printing?", "Gutenberg.", "stop"),
        ("And before?", "Nobody.", "length"),
    ):
        follows, last = last, log.ask("aa000001", last, question, "/models/tiny.gguf", "Be brief.")
        log.answer(last, answer, finish_reason)
    better = log.ask("aa000001", follows, "And before?", "/models/tiny.gguf", "Be brief.")
    log.answer(better, "Bi Sheng.\n", "stop")
    log.summarise(better, "It was about printing.", 4)
    log.ask("aa000001", better, "Who was he?", "tiny", None)
    log.answer(log.ask("aa000002", None, "讲讲印刷术的历史。" * 9, "qwen", None), "好。", "stop")
    return log


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["logs", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_list_has_the_latest_last(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = shown(capsys)
    header, first, second = out.splitlines()
    assert code == 0
    assert header.split("  ")[0] == "ID"
    assert first.startswith("aa000001  20")
    assert first.endswith("tiny       2  Who invented printing?")
    assert second.endswith("qwen       1  " + ("讲讲印刷术的历史。" * 4)[:29] + "…")
    listed = json.loads(shown(capsys, "--json")[1])["conversations"]
    assert [each["id"] for each in listed] == ["aa000001", "aa000002"]
    assert set(listed[0]) == {"id", "started", "last", "model", "turn_count", "first_words"}


def test_search_wants_all_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert "aa000002" in shown(capsys, "--search", "印刷术 历史")[1]
    out = shown(capsys, "--search", "GUTENBERG before")[1]
    assert "aa000001" in out
    assert "aa000002" not in out
    assert shown(capsys, "--search", "gutenberg 历史")[:2] == (0, "")


def test_one_conversation_whole(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "aa000001")[1]
    head, _, rest = out.partition("\n")
    assert head.endswith("tiny  2 turns")
    assert rest == (
        "\nsystem:\nBe brief.\n\nuser:\nWho invented printing?\n\nassistant:\nGutenberg.\n\n"
        "user:\nAnd before?\n\nassistant (replaced, cut off at the most tokens):\nNobody.\n\n"
        "user:\nAnd before?\n\nassistant:\nBi Sheng.\n\n"
        "(summary of all above, 4 tokens, which the model read later in its place:)\nIt was about printing.\n\n"
        "system:\n(none from here on)\n\nuser:\nWho was he?\n\nassistant:\n(no answer)\n"
    )
    whole = json.loads(shown(capsys, "aa000001", "--json")[1])
    assert [(turn["answer"], turn["replaced"]) for turn in whole["turns"]] == [
        ("Gutenberg.", False),
        ("Nobody.", True),
        ("Bi Sheng.\n", False),
        (None, False),
    ]


def test_removing(capsys: pytest.CaptureFixture[str], log: ChatLog) -> None:
    assert shown(capsys, "--remove", "aa000001")[:2] == (0, "removed 1 conversation\n")
    assert [each.id for each in log.conversations()] == ["aa000002"]
    assert shown(capsys, "--remove", "--all", "--json")[:2] == (0, '{"removed": ["aa000002"]}\n')
    assert shown(capsys)[:2] == (0, "")


def test_removing_asks_at_a_terminal(log: ChatLog) -> None:
    for answer, left in (("n", 2), ("y", 0)):
        with Live("logs", "--remove", "--all", terminal=True) as process:
            process.until(r"Remove 2 conversations\? \[y/N\]: ")
            process.send(f"{answer}\n")
            assert process.end() == 0
        assert len(log.conversations()) == left


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["xyz"], 1, "there is no conversation 'xyz'"),
        (["aa"], 1, "the start of 2 conversations"),
        (["--all"], 2, "--all is for --remove"),
        (["--remove"], 2, "needs the ID"),
        (["--remove", "aa000001", "--all"], 2, "needs the ID"),
        (["--remove", "--search", "x"], 2, "--search"),
        (["aa000001", "--search", "x"], 2, "--search"),
    ],
)
def test_what_is_refused(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str], log: ChatLog
) -> None:
    got, out, err = shown(capsys, *words)
    assert (got, out) == (code, "")
    assert message in err
    assert len(log.conversations()) == 2


def test_the_doctor_shows_where_it_is_and_nothing_is_made_by_looking(tmp_path: Path) -> None:
    shown = doctor._conversations()  # the rest asks the network
    assert (shown["place"], shown["kept"]) == (str(chat_log_file()), 2)
    home = tmp_path / "empty"
    ran = longra("logs", LONGRA_HOME=str(home))
    assert (ran.code, ran.out) == (0, "")
    assert "no conversation is kept yet" in ran.err
    assert not home.exists()
