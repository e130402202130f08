"""Conversations that outgrow the context: what the model reads, and that nothing is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import longra
from longra.errors import ContextError, UsageError
from longra.sampling import GenerationConfig
from longra.tasks.chat_log import ChatLog
from longra.tasks.dialogue import Conversation
from longra.tasks.messages import Message
from longra.tasks.record import Record
from longra.tasks.summary import most_tokens
from support import talking

CONTEXT, ANSWER = 900, 8


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> longra.Model:
    """Reads and writes bytes; what it says makes no sense."""
    return longra.load(talking.make(tmp_path_factory.mktemp("talking"), CONTEXT), threads=1)


def conversation(model: longra.Model, **more: Any) -> Conversation:
    config = GenerationConfig(max_tokens=ANSWER, min_tokens=ANSWER, temperature=0, seed=1)
    return Conversation(model, config, **more)


def say(talk: Conversation, text: str) -> int:
    """Tokens that the model read for the message."""
    stream = talk.ask(text)
    result = stream.wait()
    talk.keep(result.text or "(nothing)", result.finish_reason)
    return result.prompt_tokens


@settings(max_examples=8)
@given(st.none() | st.text("xyz", min_size=1, max_size=60), st.lists(st.integers(1, 850), min_size=1, max_size=8))
def test_every_message_is_read_and_only_the_oldest_turns_give_way(
    model: longra.Model, system: str | None, lengths: list[int]
) -> None:
    lines: list[str] = []
    talk = conversation(model, system=system, tell=lines.append)
    said: list[str] = []
    for number, length in enumerate(lengths):
        text = f"{number}:".ljust(length, "m")
        no_room_for_a_summary = length + len(system or "") + most_tokens(CONTEXT) > 800  # and the template's words
        before, told = talk.summary, len(lines)
        try:
            tokens = say(talk, text)
        except ContextError:
            assert no_room_for_a_summary
            assert (talk.summary, len(lines)) == (before, told)
            continue
        said.append(text)
        assert [message.content for message in talk.messages[::2]] == said
        gone = talk.summary.turns if talk.summary else 0
        assert tokens + ANSWER <= CONTEXT or gone == len(said) - 1 or no_room_for_a_summary
        assert len(lines) == told + 2 * (talk.summary is not before)
        head = [Message("system", system)] if system else []
        note = talk.summary.messages if talk.summary else []
        assert talk.read == [*head, *note, *talk.messages[2 * gone :]]
        if talk.summary is not None:
            assert 0 < talk.summary.tokens <= most_tokens(CONTEXT)


@pytest.mark.parametrize("more", [0, 1])
def test_room_is_made_when_the_answer_has_one_token_too_few(model: longra.Model, more: int) -> None:
    talk = conversation(model)
    for _ in range(6):
        say(talk, "m" * 60)
    rest = CONTEXT - ANSWER - talk.count_tokens([*talk.read, Message("user", "")])
    say(talk, "m" * (rest + more))
    assert (talk.summary is not None) == bool(more)


def test_summaries_are_rare_and_halve_what_is_read(model: longra.Model) -> None:
    lines: list[str] = []
    talk = conversation(model, tell=lines.append)
    lengths = [say(talk, f"{i}".ljust(30)) for i in range(40)]
    falls = [after for before, after in pairwise(lengths) if after < before]
    assert len(lines) == 2 * len(falls) < 2 * 5
    assert all(0.2 * CONTEXT < length <= (CONTEXT - ANSWER) / 2 for length in falls)
    assert lines[0].startswith("summarising ")
    assert " turns, " in lines[0]
    assert "in place of the first" in lines[1]
    assert len(talk.messages) == 80


def test_a_turn_too_long_to_be_summarised_at_once_is_read_in_parts(model: longra.Model) -> None:
    talk = conversation(model)
    say(talk, "a" * 870)
    with reading(model) as prompts:
        say(talk, "and now?")
    assert talk.summary is not None
    assert talk.summary.turns == 1
    read = "".join(prompts[:-1])
    assert read.count("a") >= 870
    assert len(prompts) > 2
    assert "A part of what I said:" in prompts[0]
    assert "Summarise what we said before." in prompts[1]  # the summary of the first part


def test_a_conversation_in_chinese_is_summarised_in_chinese(model: longra.Model) -> None:
    talk = conversation(model)
    for _ in range(5):
        with reading(model) as prompts:
            say(talk, "今天我们谈论印刷术的历史。" * 5)
    asked = [prompt for prompt in prompts if "请用不超过60个字概括" in prompt]
    assert len(asked) >= 1


@contextmanager
def reading(model: longra.Model) -> Iterator[list[str]]:
    """The texts of the prompts that are generated from meanwhile."""
    prompts: list[str] = []
    stream = model.stream

    def watched(prompt: Any, *words: Any, **more: Any) -> Any:
        prompts.append(model.tokenizer.decode(model.encode(prompt), skip_special=False))
        return stream(prompt, *words, **more)

    model.stream = watched  # type: ignore[method-assign]
    try:
        yield prompts
    finally:
        del model.stream  # type: ignore[method-assign]


def test_a_message_that_does_not_fit_alone_changes_nothing(model: longra.Model) -> None:
    talk = conversation(model, system="s")
    say(talk, "hello")
    before = talk.messages
    with pytest.raises(ContextError, match=r"the message has 9\d\d tokens with the system message and .* holds 900"):
        talk.ask("x" * 900)
    assert (talk.messages, talk.summary) == (before, None)
    talk.keep(talk.retry().wait().text)  # of "hello"
    assert [message.content for message in talk.messages[::2]] == ["hello"]


def test_a_summary_without_words_replaces_nothing(model: longra.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = conversation(model)
    say(talk, "m" * 420)
    say(talk, "m" * 420)
    silent = GenerationConfig(
        max_tokens=8, logit_bias={i: -100 for i in range(257) if i != model.tokenizer.encode(" ")[0]}
    )
    generate = model.generate
    monkeypatch.setattr(model, "generate", lambda prompt, _: generate(prompt, silent))
    with pytest.raises(ContextError, match="in no words; nothing was dropped"):
        talk.ask("and now?")
    assert (len(talk.messages), talk.summary) == (4, None)


def test_an_interruption_while_it_summarises_leaves_the_message_to_be_answered(model: longra.Model) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    talk = conversation(model)
    say(talk, "m" * 420)
    say(talk, "m" * 420)
    talk.tell = interrupt
    with pytest.raises(KeyboardInterrupt):
        talk.ask("and now?")
    assert (len(talk.messages), talk.summary) == (4, None)
    talk.tell = lambda _: None
    talk.keep(talk.retry().wait().text or "-")
    assert talk.messages[4] == Message("user", "and now?")
    assert talk.summary is not None


def test_a_context_too_small_for_summaries_is_told(tmp_path: Path) -> None:
    small = longra.load(talking.make(tmp_path, 128), threads=1)
    talk = conversation(small)
    for _ in range(3):
        say(talk, "x" * 20)
    with pytest.raises(ContextError, match="holds 128 tokens, too few to summarise"):
        talk.ask("x" * 20)
    assert len(talk.messages) == 6


def test_going_on_reads_the_same_as_before(model: longra.Model, tmp_path: Path) -> None:
    log = ChatLog(tmp_path / "log.db")
    talk = conversation(model, record=Record(log, "tiny"), system="Be brief.")
    for i in range(20):
        say(talk, f"{i}".ljust(50))
    assert talk.summary is not None
    later = conversation(model, system="Be brief.")
    later.resume(log.find())
    assert (later.read, later.messages, later.summary) == (talk.read, talk.messages, talk.summary)
    assert later.retry().wait().prompt_tokens == talk.retry().wait().prompt_tokens


def test_a_message_without_an_answer_can_be_answered_later(model: longra.Model, tmp_path: Path) -> None:
    log = ChatLog(tmp_path / "log.db")
    talk = conversation(model, record=Record(log, "tiny"))
    say(talk, "one")
    talk.ask("two").close()  # and the process is killed
    later = conversation(model, record=Record(log, "tiny", log.find()))
    later.resume(log.find())
    assert [message.content for message in later.messages[::2]] == ["one"]
    later.keep(later.retry().wait().text)
    assert [turn.question for turn in log.find().branch] == ["one", "two"]
    assert len(log.conversations()) == 1


def test_clear_begins_another_conversation_in_the_log(model: longra.Model, tmp_path: Path) -> None:
    log = ChatLog(tmp_path / "log.db")
    record = Record(log, "tiny")
    talk = conversation(model, record=record, system="s")
    say(talk, "one")
    first = record.id
    talk.clear()
    assert (talk.messages, record.id) == ([], None)
    with pytest.raises(UsageError, match="no message"):
        talk.retry()
    say(talk, "two")
    assert [each.turns[0].question for each in log.conversations()] == ["one", "two"]
    assert record.id not in (None, first)
