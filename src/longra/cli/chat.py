"""`longra chat`: talk with a model."""

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from longra.cli.logged import first_words
from longra.cli.shared import console, options
from longra.sizes import counted

if TYPE_CHECKING:
    from longra.cli.chat_session import Session
    from longra.tasks.chat_log import ChatLog, Logged
    from longra.tasks.dialogue import Conversation
    from longra.tasks.record import Record

LAST = "last"
"""What --continue means without an id, none of which has these letters."""


class _Command(TyperCommand):
    """`--continue` may come without a value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = [
            f"--continue={LAST}" if word in ("-c", "--continue") and after.startswith("-") else word
            for word, after in pairwise([*args, "-"])
        ]
        return super().parse_args(ctx, words)


COMMAND_OPTIONS = {
    "cls": _Command,
    "epilog": 'Examples:  longra chat --system "You are a poet." -t 0.9   |   longra chat --continue',
}


def chat(
    *,
    loading: options.Loading,
    sampling: options.Sampling,
    system: options.System = None,
    continued: Annotated[
        str | None,
        typer.Option(
            "-c", "--continue", metavar="[ID]", help="Go on with the last conversation, or the one of this id."
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--log/--no-log", help="Keep the conversation, for --continue and `longra logs`.")
    ] = True,
    as_json: options.JsonLines = False,
    verbose: options.Verbose = False,
) -> None:
    """Talk with a model. On a pipe each line is a message.

    /help lists what can be typed besides messages. Ctrl-C stops an answer and keeps it; at the prompt it leaves.
    Conversations are kept on this machine; `longra logs` shows and removes them.
    """
    config = sampling.config()
    log, logged = _logs(keep, continued)
    if logged is not None:
        loading = replace(loading, model=loading.model or logged.turns[-1].model)
        system = logged.turns[-1].system if system is None else system
    loaded, name = loading.load()
    from longra.cli.chat_session import Session
    from longra.tasks.dialogue import Conversation

    config = sampling.biased(config, loaded.tokenizer)
    if verbose:
        sampling.tell_preset()
    conversation = Conversation(loaded, config, system, _record(log, name, logged), console.note)
    if logged is not None:
        conversation.resume(logged)
    _run(Session(conversation, name, as_json, verbose), conversation, logged)


def _logs(keeps: bool, continued: str | None) -> "tuple[ChatLog | None, Logged | None]":
    """The log to write to, and the conversation to go on with."""
    from longra.errors import LogError
    from longra.tasks.chat_log import open_log

    if continued is not None:
        log = open_log(make=False)
        return log if keeps else None, log.find(None if continued == LAST else continued)
    if not keeps:
        return None, None
    try:
        return open_log(), None
    except LogError as problem:
        console.warning(f"this conversation is not kept: {problem}")
        return None, None


def _record(log: "ChatLog | None", name: str, logged: "Logged | None") -> "Record | None":
    from longra.library import lasting_name
    from longra.tasks.record import Record

    return None if log is None else Record(log, lasting_name(name), logged)


def _run(session: "Session", conversation: "Conversation", logged: "Logged | None") -> None:
    """Until the word to leave, or the end of input."""
    from longra.cli.chat_input import Input

    source = Input()
    if source.at_terminal:
        console.note(f"{conversation.model.name}; /help lists commands, Ctrl-D leaves")
    if logged is not None:
        console.note(_resumed(logged))
    try:
        for line in source.messages():
            if not session.take(line):
                break
    finally:  # Ctrl-C at the prompt leaves too
        record = conversation.record
        if source.at_terminal and record is not None and record.id is not None:
            console.note(f"kept as {record.id}; `longra chat --continue` goes on")
    if (session.failed or source.damaged) and not source.at_terminal:
        raise typer.Exit(1)


def _resumed(logged: "Logged") -> str:
    """What goes on, and how it stands."""
    lines = [f"going on with {logged.id}, {counted(len(logged.branch), 'turn')}: {first_words(logged)}"]
    if logged.unanswered is not None:
        lines.append("the last message has no answer yet; /retry answers it")
    return "\n".join(lines)
