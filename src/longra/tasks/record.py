"""The conversation that is under way, as the log keeps it."""

import logging
from collections.abc import Callable

from longra.errors import LogError
from longra.tasks.chat_log import ChatLog, Logged

_LOG = logging.getLogger("longra")


class Record:
    """Puts a conversation into the log. Talking goes on when that fails: a warning says so, once.

    Args:
        log: where to.
        model: who answers: what `longra.load` takes.
        logged: a kept conversation that goes on; None to begin one.

    Raises:
        LogError: the log cannot be read.
    """

    def __init__(self, log: ChatLog, model: str, logged: Logged | None = None) -> None:
        self._log: ChatLog | None = log
        self._model = model
        self._id = log.begin() if logged is None else logged.id
        self._began = logged is not None

    @property
    def id(self) -> str | None:
        """The conversation's id in the log; None as long as nothing of it is there."""
        return self._id if self._began else None

    def ask(self, follows: int | None, question: str, system: str | None) -> int | None:
        """Keep a message; the turn's number in the log, or None where nothing is kept any more."""
        turn: int | None = None

        def write(log: ChatLog) -> None:
            nonlocal turn
            turn = log.ask(self._id, follows, question, self._model, system)
            self._began = True

        self._try(write)
        return turn

    def answer(self, turn: int | None, text: str, finish_reason: str) -> None:
        """Keep the answer to a message."""
        if turn is not None:
            self._try(lambda log: log.answer(turn, text, finish_reason))

    def summarise(self, turn: int | None, text: str, tokens: int) -> None:
        """Keep a summary of a turn and all before it."""
        if turn is not None:
            self._try(lambda log: log.summarise(turn, text, tokens))

    def begin_anew(self) -> None:
        """What follows is another conversation."""

        def begin(log: ChatLog) -> None:
            self._id, self._began = log.begin(), False

        self._try(begin)

    def _try(self, write: Callable[[ChatLog], None]) -> None:
        if self._log is None:
            return
        try:
            write(self._log)
        except LogError as problem:
            self._log = None
            _LOG.warning("the conversation is not kept any further: %s; /save FILE keeps it", problem)
