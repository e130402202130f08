"""`longra logs`: the conversations that are kept."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from longra.cli import logged
from longra.cli.shared import console
from longra.errors import UsageError
from longra.sizes import counted

if TYPE_CHECKING:
    from longra.tasks.chat_log import ChatLog, Logged

COMMAND_OPTIONS = {
    "epilog": "Examples:  longra logs --search printing   |   longra logs 3f9a   |   longra logs --remove 3f9a"
}


def logs(
    id_: Annotated[str | None, typer.Argument(metavar="ID", help="The start of an id: show this one whole.")] = None,
    search: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Only those in which all these words are.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the conversation ID, or --all.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="With --remove: all conversations.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List, show, search and remove the conversations that are kept.

    They are on this machine alone, in the store; `longra chat --continue ID` goes on with one."""
    from longra.tasks.chat_log import open_log

    if search is not None and (remove or id_ is not None):
        raise UsageError("--search lists conversations; leave ID and --remove away")
    if all_ and not remove:
        raise UsageError("--all is for --remove; without either all conversations are listed")
    if remove:
        _remove(open_log(make=False), id_, all_, as_json)
    elif id_ is None:
        _list(search, as_json)
    else:
        found = open_log(make=False).find(id_)
        if as_json:
            console.result_json(logged.whole_as_json(found))
        else:
            console.result(logged.whole(found))


def _list(search: str | None, as_json: bool) -> None:
    from longra.tasks.chat_log import kept_conversations

    words = (search or "").split()
    found = [conversation for conversation in kept_conversations() if conversation.holds(words)]
    if as_json:
        console.result_json({"conversations": [logged.as_json(conversation) for conversation in found]})
    elif found:
        console.result(logged.table(found))
    else:
        console.note(
            "no conversation has these words" if words else "no conversation is kept yet; `longra chat` begins one"
        )


def _remove(log: "ChatLog", start: str | None, all_: bool, as_json: bool) -> None:
    if all_ == (start is not None):
        raise UsageError("--remove needs the ID of a conversation, or --all; `longra logs` lists the ids")
    found = log.conversations() if all_ else [log.find(start)]
    if console.is_terminal(sys.stdin) and not typer.confirm(_question(found), err=True):
        console.note("nothing was removed")
        return
    log.remove(conversation.id for conversation in found)
    if as_json:
        console.result_json({"removed": [conversation.id for conversation in found]})
    else:
        console.result(f"removed {counted(len(found), 'conversation')}")


def _question(found: "list[Logged]") -> str:
    what = counted(len(found), "conversation") if len(found) != 1 else f"{found[0].id}: {logged.first_words(found[0])}"
    return f"Remove {what}?"
