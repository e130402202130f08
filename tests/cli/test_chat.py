"""`longra chat` on a pipe and at a terminal."""

import io
import json
import stat
import time
from pathlib import Path

import pytest
from running import Live, longra, process

from longra.cli.chat_input import Input
from longra.tasks.chat_log import kept_conversations

pytestmark = pytest.mark.usefixtures("default_installed")

GREEDY = ("-t", "0", "-n", "12")


def saved(folder: Path, lines: str, *options: str) -> list[dict[str, str]]:
    """The messages after a conversation on a pipe."""
    file = folder / "talk.json"
    ran = longra("chat", *GREEDY, *options, stdin=f"{lines}\n/save {file}\n")
    assert ran.code == 0, ran.err
    assert f"in {file}" in ran.err
    messages: list[dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))["messages"]
    return messages


def test_each_line_of_a_pipe_is_a_message_and_answers_go_to_stdout(tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    ran = process("chat", *GREEDY, stdin=f"Hello!\n\nWhat did I say?\r\n/save {file}\n/quit\nnever read")
    assert ran.code == 0
    messages = json.loads(file.read_text(encoding="utf-8"))["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2
    assert [message["content"] for message in messages[::2]] == ["Hello!", "What did I say?"]
    assert ran.out == "".join(message["content"].removesuffix("\n") + "\n" for message in messages[1::2])


def test_the_history_is_part_of_the_next_question() -> None:
    def prompt_tokens(lines: str) -> list[int]:
        ran = longra("chat", *GREEDY, "--json", stdin=lines)
        return [json.loads(line)["prompt_tokens"] for line in ran.out.splitlines()]

    alone, (first, second) = prompt_tokens("Again.\n"), prompt_tokens("Hello there.\nAgain.\n")
    assert second > first
    assert second > alone[0] + 12
    cleared = prompt_tokens("Hello there.\n/clear\nAgain.\n")
    assert cleared[1] == alone[0]


def test_system_message_from_the_option_and_the_command(tmp_path: Path) -> None:
    assert saved(tmp_path, "Hi", "--system", "Be brief.")[0] == {"role": "system", "content": "Be brief."}
    messages = saved(tmp_path, "/system You are a bird.\nHi\n/system You are a fish.", "--system", "Be brief.")
    assert [message["role"] for message in messages] == ["system", "user", "assistant"]
    assert messages[0]["content"] == "You are a fish."
    assert "system: none" in longra("chat", stdin="/system\n").err


def test_retry_answers_the_last_message_again_and_otherwise(tmp_path: Path) -> None:
    once = saved(tmp_path, "Name a colour.", "-t", "1", "--seed", "4")
    twice = saved(tmp_path, "Name a colour.\n/retry", "-t", "1", "--seed", "4")
    assert [message["role"] for message in twice] == ["user", "assistant"]
    assert twice[0] == once[0]
    assert twice[1] != once[1]
    assert saved(tmp_path, "Name a colour.\n/retry", "-t", "1", "--seed", "4") == twice


def test_retry_tells_when_no_other_answer_can_come() -> None:
    assert "temperature 0 has one answer" in longra("chat", *GREEDY, stdin="Name a colour.\n/retry\n").err


def test_a_saved_conversation_as_text_replaces_a_file_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    file, link = tmp_path / "talk.txt", tmp_path / "link.txt"
    file.write_text("old " * 1000)
    file.chmod(0o640)
    link.symlink_to(file)
    longra("chat", *GREEDY, "--system", "Be 简短.", stdin=f"Hello!\n/save {link}\n")
    text = file.read_text(encoding="utf-8")
    assert text.startswith("system:\nBe 简短.\n\nuser:\nHello!\n\nassistant:\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.txt", "talk.txt"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/sytem x", "did you mean /system?"),
        ("/frobnicate", "/help lists"),
        ("/retry", "no message to answer again"),
        ("/save", "/save needs the name"),
        ("/save /no/such/folder/x.txt", "No such file or directory"),
    ],
)
def test_a_wrong_command_is_told_and_the_conversation_goes_on(line: str, message: str) -> None:
    ran = longra("chat", *GREEDY, stdin=f"{line}\nHello!\n")
    assert ran.code == 1  # nobody watches a pipe
    assert ran.err.startswith("error: ")
    assert message in ran.err
    assert ran.out.strip()


def test_a_message_may_begin_with_a_slash_and_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    assert saved(tmp_path, "//etc holds what?")[0]["content"] == "/etc holds what?"
    ran = longra("chat", *GREEDY, stdin=b"\xff\xff\nHello!\n")
    assert (ran.code, bool(ran.out.strip())) == (1, True)
    assert "line 1 is not UTF-8" in ran.err


def test_a_conversation_that_no_longer_fits_is_kept_and_told(tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    ran = longra("chat", *GREEDY, stdin=f"Hello!\n{'word ' * 9000}\n/save {file}\nStill there?\n")
    assert ran.code == 1
    assert "holds 8,192" in ran.err
    assert "nothing was dropped" in ran.err
    assert "--context" in ran.err
    assert len(json.loads(file.read_text())["messages"]) == 2
    assert len(ran.out.splitlines()) >= 2  # the short message after it was answered


def test_a_shorter_context_summarises_and_says_so() -> None:
    lines = "".join(f"Tell me something about the number {i}.\n" for i in range(1, 6))
    ran = longra("chat", "-t", "0", "-n", "24", "--context", "200", "--json", stdin=f"{lines}/history\n")
    assert ran.code == 0
    assert "context limited from 8,192 to 200" in ran.err
    answers = [json.loads(line) for line in ran.out.splitlines()]
    assert len(answers) == 5
    assert all(answer["prompt_tokens"] + 24 <= 200 for answer in answers)
    turns = answers[-1]["summarised_turns"]
    assert turns >= 2
    assert "summarising " in ran.err
    assert "Summarise what we said before." in ran.err
    assert f"the first {turns} turns as a summary)" in ran.err
    logged = kept_conversations()[-1]
    assert (logged.id, len(logged.branch)) == (answers[-1]["conversation"], 5)
    assert str(logged.branch[turns - 1].summary) in ran.err


def test_an_answer_that_was_cut_is_told() -> None:
    assert "ended at 3 tokens; -n allows more" in longra("chat", "-n", "3", stdin="Tell me a story.\n").err


def test_a_model_without_a_template_is_told(gemma: Path) -> None:
    ran = longra("chat", "-m", str(gemma), stdin="Hello!\n")
    assert (ran.code, ran.out) == (1, "")
    assert "no chat template" in ran.err


def test_conversations_are_kept_and_go_on(tmp_path: Path) -> None:
    first = longra("chat", *GREEDY, "--system", "Be brief.", "--json", stdin="My name is Ada.\n/clear\nHello!\n")
    mine, other = (json.loads(line)["conversation"] for line in first.out.splitlines())
    assert mine != other
    assert f"`longra logs {mine}` shows them" in first.err
    messages = saved(tmp_path, "And now?", "--continue", mine[:6])
    assert [message["content"] for message in messages[:2]] == ["Be brief.", "My name is Ada."]
    assert [message["role"] for message in messages[3:]] == ["user", "assistant"]
    words = ("chat", *GREEDY, "-c", "--no-log", "--system", "Be loud.", "--json")
    silent = longra(*words, stdin="/system\nNot for the log.\n")
    assert silent.err.startswith(f"going on with {mine}, 2 turns: My name is Ada.\nsystem: Be loud.\n")
    assert json.loads(silent.out)["conversation"] is None
    assert not any(kept.holds(["log"]) for kept in kept_conversations())


def test_a_log_that_cannot_be_used_is_one_warning(smollm2: Path, tmp_path: Path) -> None:
    (tmp_path / "conversations.db").write_text("no database " * 100)
    ran = longra("chat", *GREEDY, "-m", str(smollm2), stdin="Hello!\n", LONGRA_HOME=str(tmp_path))
    assert ran.code == 0
    assert ran.err.startswith("warning: this conversation is not kept: ")
    assert ran.out.strip()


def test_messages_of_several_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    piped = 'first\n"""\n/a\n\nb\n"""\n"""one line"""\n"""\nthe end of input\nends one too'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(piped.encode())))
    assert list(Input().messages()) == ["first", "//a\n\nb", "one line", "the end of input\nends one too"]


def test_help_and_the_end_of_input() -> None:
    ran = longra("chat", stdin="/help\n")
    assert (ran.code, ran.out) == (0, "")
    for command in ("/system", "/save", "/retry", "/clear", "/history", "/quit", "/help"):
        assert command in ran.err


def test_ctrl_c_on_a_pipe_stops_the_answer_and_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    with Live("chat", "-n", "4000", "--min-tokens", "4000", types=True) as run:
        run.send("Tell a long story about a river.\n")
        run.until(r".{30}")
        run.interrupt()
        run.until(r"stopped; /retry")
        run.send(f"/save {file}\n")
        run.until("saved 2 messages")
        time.sleep(0.5)  # a moment between two keys: the prompt must wait for input
        run.interrupt()
        assert run.end() == 130
    answer = json.loads(file.read_text(encoding="utf-8"))["messages"][1]["content"]
    assert run.output.startswith(answer)
    assert len(answer) >= 30


def test_a_conversation_at_a_terminal() -> None:
    with Live("chat", *GREEDY, terminal=True) as run:
        run.until("smollm2-135m-instruct; /help lists commands.*>>> ")
        run.send("Hello!\n")
        run.until(">>> Hello!\n.+\n.*>>> ")
        run.send("/help\n")
        run.until("/quit.*>>> ")
        assert "\x1b[?2004h" in run.output  # asks the terminal to mark what is pasted
        run.send("\x1b[200~one\ntwo\x1b[201~\n")
        run.until("two\n.+\n.*>>> ")
        run.send("/history\n")
        run.until("user:\none\ntwo\n\nassistant:.*>>> ")
        run.send("\x04")
        run.until("kept as [0-9a-f]{8}; `longra chat --continue` goes on")
        assert run.end() == 0
    assert "Traceback" not in run.output


def test_ctrl_c_at_a_terminal_stops_the_answer_first_and_leaves_at_the_prompt() -> None:
    with Live("chat", "-n", "4000", "--min-tokens", "4000", terminal=True) as run:
        run.until(">>> ")
        run.send("Tell a long story.\n")
        run.until("story.\n.{30}")
        run.interrupt()
        run.until("stopped; /retry.*>>> ")
        time.sleep(0.5)
        run.interrupt()
        run.until("kept as [0-9a-f]{8}")
        assert run.end() == 130
    assert "Traceback" not in run.output
