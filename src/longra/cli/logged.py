"""How conversations that are kept are shown."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longra.cli.shared import console
from longra.sizes import counted

if TYPE_CHECKING:
    from longra.tasks.chat_log import Logged, LoggedTurn

_COLUMNS = 60


def when(time: str) -> str:
    """A time of the log (UTC) on this machine's clock, to the minute."""
    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M")


def first_words(logged: "Logged") -> str:
    """How a conversation begins, on one line."""
    text = " ".join((logged.branch or logged.turns)[0].question.split())
    return console.shortened(text, _COLUMNS)


def table(conversations: "list[Logged]") -> str:
    """One line for each."""
    rows = [
        (logged.id, when(logged.turns[-1].asked), _model(logged), f"{len(logged.branch):,}", first_words(logged))
        for logged in conversations
    ]
    return console.table(("ID", "LAST MESSAGE", "MODEL", "TURNS", "FIRST WORDS"), rows, right=frozenset({3}))


def whole(logged: "Logged") -> str:
    """All that was said, the answers that were replaced by others too."""
    stands = {turn.id for turn in logged.branch}
    blocks = [f"{logged.id}  {when(logged.started)}  {_model(logged)}  {counted(len(stands), 'turn')}\n"]
    system = None
    for turn in logged.turns:
        if turn.system != system:
            system = turn.system
            blocks.append(f"system:\n{system or '(none from here on)'}\n")
        blocks += _turn(turn, turn.id in stands)
    return "\n".join(blocks).rstrip()


def _turn(turn: "LoggedTurn", stands: bool) -> list[str]:
    ending = {"length": "cut off at the most tokens", "interrupted": "stopped"}.get(turn.finish_reason or "")
    remarks = [remark for remark in (None if stands or turn.answer is None else "replaced", ending) if remark]
    heading = f"assistant ({', '.join(remarks)}):" if remarks else "assistant:"
    answer = "(no answer)" if turn.answer is None else turn.answer.rstrip()
    blocks = [f"user:\n{turn.question.rstrip()}\n", f"{heading}\n{answer}\n"]
    if turn.summary is not None:
        heading = f"(summary of all above, {turn.summary_tokens:,} tokens, which the model read later in its place:)"
        blocks.append(f"{heading}\n{turn.summary}\n")
    return blocks


def as_json(logged: "Logged") -> dict[str, Any]:
    """What `longra logs` says of a conversation with --json."""
    return {
        "id": logged.id,
        "started": logged.started,
        "last": logged.turns[-1].asked,
        "model": logged.turns[-1].model,
        "turn_count": len(logged.branch),
        "first_words": first_words(logged),
    }


def whole_as_json(logged: "Logged") -> dict[str, Any]:
    """The same, and all its turns; `replaced` are those that another answer took the place of."""
    stands = {turn.id for turn in logged.branch}
    turns = [asdict(turn) | {"replaced": turn.answer is not None and turn.id not in stands} for turn in logged.turns]
    return as_json(logged) | {"turns": turns}


def _model(logged: "Logged") -> str:
    """Who answered last; of a path, its end."""
    name = logged.turns[-1].model
    return Path(name).name if Path(name).is_absolute() else name
