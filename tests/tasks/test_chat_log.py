"""Conversations in SQLite: what is kept, who may read it, and what processes do to each other."""

import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longra.errors import LogError
from longra.tasks.chat_log import VERSION, ChatLog
from longra.tasks.record import Record


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "conversations.db"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> ChatLog:
    return ChatLog(tmp_path_factory.mktemp("log") / "log.db")


def turn(log: ChatLog, id_: str, follows: int | None, question: str, answer: str | None) -> int:
    number = log.ask(id_, follows, question, "some-model", None)
    if answer is not None:
        log.answer(number, answer, "stop")
    return number


def test_a_conversation_is_what_was_said(file: Path) -> None:
    log = ChatLog(file)
    id_ = log.begin()
    assert log.conversations() == []  # nothing was said yet
    number = log.ask(id_, None, "Hello! 你好", "some-model", "Be brief.")
    log.answer(number, "Hi.\n", "length")
    log.summarise(number, "They met.", 3)
    last = log.ask(id_, number, "And?", "other-model", None)
    (found,) = ChatLog(file).conversations()
    assert found == ChatLog(file).find() == ChatLog(file).find(id_[:3].upper())
    first, second = found.turns
    assert (first.question, first.answer, first.finish_reason) == ("Hello! 你好", "Hi.\n", "length")
    assert (first.model, first.system, first.follows) == ("some-model", "Be brief.", None)
    assert (first.summary, first.summary_tokens) == ("They met.", 3)
    assert (second.answer, second.system, second.follows, second.summary) == (None, None, number, None)
    assert found.branch == [first]
    assert found.unanswered is not None
    assert found.unanswered.id == last


@settings(max_examples=10)
@given(st.lists(st.tuples(st.sampled_from(["ask", "retry"]), st.none() | st.text(max_size=5)), min_size=1, max_size=12))
def test_the_branch_is_the_conversation_that_was_held(log: ChatLog, steps: list[tuple[str, str | None]]) -> None:
    """The model of it: a list of turns, of which a second answer replaces the last."""
    id_, held, before = log.begin(), list[tuple[int, str]](), list[tuple[int, str]]()
    for step, answer in steps:
        before = held if step == "ask" else before
        number = turn(log, id_, before[-1][0] if before else None, "?", answer)
        held = held if answer is None else [*before, (number, answer)]
    found = log.find(id_)
    assert [(turn.id, turn.answer) for turn in found.branch] == held
    assert len(found.turns) == len(steps)


def test_another_process_that_goes_on_makes_a_branch(file: Path) -> None:
    here, there = ChatLog(file), ChatLog(file)
    id_ = here.begin()
    first = turn(here, id_, None, "one", "1")
    mine, theirs = turn(here, id_, first, "mine", "m"), turn(there, id_, first, "theirs", "t")
    assert [each.id for each in here.find(id_).branch] == [first, theirs]
    last = turn(here, id_, mine, "mine again", "m2")
    assert [each.id for each in there.find(id_).branch] == [first, mine, last]


def test_only_the_owner_may_read_any_of_its_files(file: Path) -> None:
    log = ChatLog(file)
    turn(log, log.begin(), None, "secret", "yes")
    files = list(file.parent.glob("conversations.db*"))
    assert len(files) == 3  # the database and the two of its write-ahead log
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


WRITER = """
import sys
from pathlib import Path
from longra.tasks.chat_log import ChatLog
log, count, last = ChatLog(Path(sys.argv[1])), int(sys.argv[2]), None
id_ = log.begin()
for i in range(count):
    number = log.ask(id_, last, f"question {i}", "some-model", None)
    log.answer(number, f"answer {i}", "stop")
    last = number
    print(i, flush=True)
"""


def writer(file: Path, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(file), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_kill_costs_no_answer_that_was_kept(file: Path) -> None:
    with writer(file, 10**6) as process:
        assert process.stdout is not None
        for _ in range(20):
            told = process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        told = (process.stdout.read().splitlines() or [told])[-1]
    branch = ChatLog(file).find().branch
    assert len(branch) in (int(told) + 1, int(told) + 2)  # one more may have been kept and not told
    assert [each.answer for each in branch] == [f"answer {i}" for i in range(len(branch))]


def test_processes_that_make_the_log_and_write_at_once_do_no_harm(file: Path) -> None:
    processes = [writer(file, 25) for _ in range(4)]
    assert [process.communicate(timeout=60)[0].count("\n") for process in processes] == [25] * 4
    found = ChatLog(file).conversations()
    assert [len(conversation.branch) for conversation in found] == [25] * 4


def test_removing_leaves_no_byte(file: Path) -> None:
    log, other = ChatLog(file), ChatLog(file)
    gone, kept = log.begin(), log.begin()
    number = turn(log, gone, None, "a long secret " * 1000, "an answer with the secret " * 1000)
    log.summarise(number, "the secret in short", 5)
    turn(other, kept, None, "harmless", "as well")
    log.remove([gone])
    assert b"secret" not in b"".join(each.read_bytes() for each in file.parent.glob("conversations.db*"))
    assert [conversation.id for conversation in log.conversations()] == [kept]
    with pytest.raises(LogError, match="no conversation"):
        log.find(gone)


def test_an_id_that_is_unknown_or_not_unique(file: Path) -> None:
    log = ChatLog(file)
    with pytest.raises(LogError, match="no conversation is kept yet"):
        log.find()
    for id_ in ("ab000000", "ab111111"):
        turn(log, id_, None, "?", "!")
    assert log.find("ab1").id == "ab111111"
    with pytest.raises(LogError, match="'ab' is the start of 2 conversations: ab000000, ab111111; type more"):
        log.find("ab")
    with pytest.raises(LogError, match="no conversation '%'"):
        log.find("%")


def test_words_are_found_in_any_case_and_language(file: Path) -> None:
    log = ChatLog(file)
    id_ = log.begin()
    turn(log, id_, turn(log, id_, None, "Die STRASSE nach München", "今天下雨。"), "?", None)
    found = log.find()
    assert found.holds(["straße", "münchen", "下雨"])
    assert found.holds([])
    assert not found.holds(["münchen", "snow"])


def test_a_file_that_is_no_log_is_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("This is not a database. " * 50)
    with pytest.raises(LogError, match=r"text.db, does not work: file is not a database; .* --no-log"):
        ChatLog(text)
    assert text.read_text().startswith("This is not")
    newer = tmp_path / "newer.db"
    ChatLog(newer).close()
    with sqlite3.connect(newer) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    with pytest.raises(LogError, match=f"newer Longra .its version is {VERSION + 1}"):
        ChatLog(newer)
    (tmp_path / "flat").write_text("")
    with pytest.raises(LogError, match="File exists"):
        ChatLog(tmp_path / "flat" / "log.db")


def test_a_record_that_cannot_be_written_warns_once(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    record = Record(ChatLog(file), "some-model")
    assert record.id is None
    number = record.ask(None, "one", None)
    ChatLog(file).remove([record.id or ""])  # as `longra logs --remove` in another window
    assert record.ask(number, "two", None) is None
    assert record.ask(None, "three", None) is None
    record.answer(None, "3", "stop")
    assert [each.getMessage().partition(":")[0] for each in caplog.records] == [
        "the conversation is not kept any further"
    ]
