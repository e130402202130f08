"""`longra chat`: talk with a model."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from longra.cli import console, notes, options
from longra.cli.saving import write_whole
from longra.cli.streaming import show
from longra.errors import LongraError, UsageError

if TYPE_CHECKING:
    from longra.stream import Stream
    from longra.tasks.dialogue import Conversation

COMMAND_OPTIONS = {"epilog": 'Example:  longra chat --system "You are a poet." -t 0.9'}

HELP = """\
/system TEXT  Who the model is to be from now on; without TEXT: show it.
/retry        Another answer to the last message.
/save FILE    Keep the conversation: JSON if FILE ends in .json, else text.
/clear        Forget what was said; the system message stays.
/help         This list.
/quit         Leave; so does the end of input (Ctrl-D).
Ctrl-C stops an answer and keeps it. A message that begins with / is written //."""


def chat(
    *,
    loading: options.Loading,
    sampling: options.Sampling,
    system: options.System = None,
    as_json: options.JsonLines = False,
    verbose: options.Verbose = False,
) -> None:
    """Talk with a model. On a pipe each line is a message.

    /help lists what can be typed besides messages. Ctrl-C stops an answer and keeps it; at the prompt it leaves.
    """
    config = sampling.config()
    loaded, name = loading.load()
    from longra.tasks.dialogue import Conversation

    config = sampling.biased(config, loaded.tokenizer)
    if verbose:
        sampling.tell_preset()
    session = _Session(Conversation(loaded, config, system), name, as_json, verbose)
    session.run()
    if session.failed and not session.at_terminal:
        raise typer.Exit(1)


class _Session:
    """Lines in, answers out."""

    def __init__(self, conversation: "Conversation", name: str, as_json: bool, verbose: bool) -> None:
        self._conversation = conversation
        self._name = name
        self._as_json = as_json
        self._verbose = verbose
        self.at_terminal = sys.stdin is not None and console.is_terminal(sys.stdin)
        self.failed = False
        self._commands: dict[str, Callable[[str], None]] = {
            "help": lambda _: console.note(HELP),
            "system": self._system,
            "retry": self._retry,
            "save": self._save,
            "clear": self._clear,
        }

    def run(self) -> None:
        """Until /quit or the end of input."""
        if self.at_terminal:
            console.note(f"{self._conversation.model.name}; /help lists commands, Ctrl-D leaves")
        for line in self._lines():
            command, _, rest = line.strip().partition(" ")
            if command in ("/quit", "/exit"):
                return
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

    def _lines(self) -> Iterator[str]:
        """Lines of input without their ends, until there are no more."""
        if sys.stdin is None:
            return
        if self.at_terminal:
            yield from _typed_lines()
            return
        for number, data in enumerate(iter(sys.stdin.buffer.readline, b""), 1):
            try:
                yield data.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                self.failed = True
                console.error(f"line {number} is not UTF-8 and was left out; convert the input to UTF-8")

    def _command(self, name: str, rest: str) -> None:
        if name not in self._commands:
            near = get_close_matches(name, [*self._commands, "quit"], 1)
            hint = f"did you mean /{near[0]}?" if near else "/help lists what there is"
            raise UsageError(f"there is no /{name}; {hint}")
        self._commands[name](rest)

    def _say(self, text: str) -> None:
        if note := notes.script_note(text, self._name):
            console.warning(note)
        self._answer(self._conversation.ask(text))

    def _retry(self, _: str) -> None:
        self._answer(self._conversation.retry())

    def _answer(self, stream: "Stream") -> None:
        interrupted = show(stream, live=not self._as_json)
        result = stream.result
        self._conversation.keep(result.text)
        if self._as_json:
            console.result_json(result.as_json())
            sys.stdout.flush()
        config = self._conversation.config
        if interrupted:
            console.note("(stopped; /retry answers again)" if result.text else "(stopped before it began)")
        elif result.finish_reason == "length":
            cut = f"the answer ended at {config.max_tokens:,} tokens; -n allows more"
            console.warning(notes.context_note(result, config) or cut)
        if self._verbose:
            console.note(notes.summary(result, config, self._conversation.model.engine.backend.threads))

    def _system(self, text: str) -> None:
        if text:
            self._conversation.system = text
        console.note(f"system: {self._conversation.system or 'none'}")

    def _save(self, name: str) -> None:
        if not name:
            raise UsageError("/save needs the name of a file, such as /save talk.json")
        path = Path(name).expanduser()
        messages = self._conversation.with_system(self._conversation.messages)
        if path.suffix.lower() == ".json":
            value = {"model": self._conversation.model.name, "messages": [message.as_json() for message in messages]}
            text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
        else:
            text = "\n".join(f"{message.role}:\n{message.content.rstrip()}\n" for message in messages)
        write_whole(path, text)
        console.note(f"saved {len(messages)} messages in {path}")

    def _clear(self, _: str) -> None:
        count = len(self._conversation.messages)
        self._conversation.clear()
        console.note(f"forgot {count} messages")


def _typed_lines() -> Iterator[str]:
    """Lines typed at a terminal, with editing and a history where the system has readline."""
    prompt = ">>> "
    if not console.is_terminal(sys.stdout):  # the answers go to a file: the prompt must not
        while True:
            sys.stderr.write(prompt)
            sys.stderr.flush()
            line = sys.stdin.readline()
            if not line:
                return
            yield line.rstrip("\n")
    with suppress(ImportError):
        import readline  # noqa: F401 (input() uses it when it is there)
    while True:
        try:
            line = input(prompt)
        except EOFError:
            console.note("")
            return
        yield line
