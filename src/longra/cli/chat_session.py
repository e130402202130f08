"""A conversation at a terminal or on a pipe: messages and commands in, answers out."""

import json
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from longra.cli.shared import console, notes
from longra.cli.shared.saving import save_text
from longra.cli.shared.streaming import show
from longra.errors import LongraError, UsageError

if TYPE_CHECKING:
    from longra.generation.stream import Stream
    from longra.tasks.dialogue import Conversation
    from longra.tasks.messages import Message

HELP = '''\
/system TEXT  Who the model is to be from now on; without TEXT: show it.
/retry        Another answer to the last message.
/history      What the model reads now: all that was said, or a summary of the oldest turns and the rest.
/save FILE    Keep the conversation: JSON if FILE ends in .json, else text.
/clear        Begin another conversation; the system message stays.
/help         This list.
/quit         Leave; so does the end of input (Ctrl-D).
Ctrl-C stops an answer and keeps it. A message of several lines stands between """ and """. A message that begins
with / is written //.'''


class Session:
    """Messages in, answers out.

    Attributes:
        failed: whether a message or a command came to nothing.
    """

    def __init__(self, conversation: "Conversation", name: str, as_json: bool, verbose: bool) -> None:
        self._conversation = conversation
        self._name = name
        self._as_json = as_json
        self._verbose = verbose
        self.failed = False
        self._commands: dict[str, Callable[[str], None]] = {
            "help": lambda _: console.note(HELP),
            "system": self._system,
            "retry": self._retry,
            "history": self._history,
            "save": self._save,
            "clear": self._clear,
        }

    def take(self, line: str) -> bool:
        """Answer a message or do a command; False if it was the word to leave."""
        command, _, rest = line.strip().partition(" ")
        if command in ("/quit", "/exit"):
            return False
        try:
            if line.startswith("/") and not line.startswith("//"):
                self._command(command[1:], rest.strip())
            elif line.strip():
                self._say(line.removeprefix("/"))
        except (LongraError, OSError) as problem:
            if isinstance(problem, BrokenPipeError):
                raise
            self.failed = True
            console.error(problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem))
        return True

    def _command(self, name: str, rest: str) -> None:
        if name not in self._commands:
            near = get_close_matches(name, [*self._commands, "quit"], 1)
            hint = f"did you mean /{near[0]}?" if near else "/help lists what there is"
            raise UsageError(f"there is no /{name}; {hint}")
        self._commands[name](rest)

    def _say(self, text: str) -> None:
        if note := notes.script_note(text, self._name):
            console.warning(note)
        self._answer(lambda: self._conversation.ask(text))

    def _retry(self, _: str) -> None:
        self._answer(self._conversation.retry)
        if self._conversation.config.temperature == 0:
            console.note("(temperature 0 has one answer; start with -t 0.7 for others)")

    def _answer(self, ask: "Callable[[], Stream]") -> None:
        try:
            stream = ask()
        except KeyboardInterrupt:  # while it summarised
            console.note("(stopped before it began; /retry answers)")
            return
        interrupted = show(stream, live=not self._as_json)
        result = stream.result
        self._conversation.keep(result.text, result.finish_reason)
        if self._as_json:
            console.result_json(result.as_json() | self._facts())
            sys.stdout.flush()
        config = self._conversation.config
        if interrupted:
            console.note("(stopped; /retry answers again)" if result.text else "(stopped before it began)")
        elif result.finish_reason == "length":
            cut = f"the answer ended at {config.max_tokens:,} tokens; -n allows more"
            console.warning(notes.context_note(result, config) or cut)
        if self._verbose:
            console.note(notes.summary(result, config, self._conversation.model.engine.backend.threads))

    def _facts(self) -> dict[str, object]:
        """What the JSON of an answer says besides the result's own keys."""
        record, summary = self._conversation.record, self._conversation.summary
        return {
            "conversation": record.id if record else None,
            "summarised_turns": summary.turns if summary else 0,
        }

    def _system(self, text: str) -> None:
        if text:
            self._conversation.system = text
        console.note(f"system: {self._conversation.system or 'none'}")

    def _history(self, _: str) -> None:
        messages, summary = self._conversation.read, self._conversation.summary
        if not messages:
            console.note("nothing was said yet")
            return
        tokens, held = self._conversation.count_tokens(messages), self._conversation.model.spec.context
        replaced = f"; the first {summary.turns:,} turns as a summary" if summary else ""
        console.note(f"{as_text(messages)}\n({tokens:,} of {held:,} tokens{replaced})")

    def _save(self, name: str) -> None:
        if not name:
            raise UsageError("/save needs the name of a file, such as /save talk.json")
        path = Path(name).expanduser()
        messages = self._conversation.with_system(self._conversation.messages)
        if path.suffix.lower() == ".json":
            value = {"model": self._conversation.model.name, "messages": [message.as_json() for message in messages]}
            text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
        else:
            text = as_text(messages)
        save_text(path, text)
        console.note(f"saved {len(messages)} messages in {path}")

    def _clear(self, _: str) -> None:
        record = self._conversation.record
        kept = f"; `longra logs {record.id}` shows them" if record and record.id else ""
        count = len(self._conversation.messages)
        self._conversation.clear()
        console.note(f"forgot {count} messages{kept}")


def as_text(messages: "list[Message]") -> str:
    """Messages for people to read: who, a colon, and what was said."""
    return "\n".join(f"{message.role}:\n{message.content.rstrip()}\n" for message in messages)
