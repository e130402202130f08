"""Conversations on disk: one SQLite database, appended turn by turn, so that a kill costs at most the answer in the making.

A turn names the one that it follows. Another answer to a message, and a second process that goes on with the same
conversation, are branches of it: nothing is ever written over.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from longra.errors import LogError
from longra.library.lock import locked
from longra.library.paths import chat_log_file, locks_folder

VERSION = 1
"""Of the tables; kept as the database's user_version."""

_SECONDS = 30.0
"""Patience while another process writes, which takes milliseconds."""

_TABLES = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    started TEXT NOT NULL
);
CREATE TABLE turns (
    id INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    follows INTEGER REFERENCES turns ON DELETE CASCADE,
    asked TEXT NOT NULL,
    model TEXT NOT NULL,
    system TEXT,
    question TEXT NOT NULL,
    answer TEXT,
    finish_reason TEXT
);
CREATE INDEX turns_of_conversation ON turns (conversation);
CREATE INDEX turns_following ON turns (follows);
CREATE TABLE summaries (
    turn INTEGER PRIMARY KEY REFERENCES turns ON DELETE CASCADE,
    text TEXT NOT NULL,
    tokens INTEGER NOT NULL
);
"""


@dataclass(frozen=True)
class LoggedTurn:
    """A message and its answer.

    Attributes:
        id: grows with time.
        follows: the id of the turn before it, or None.
        asked: when; UTC, as in 2026-11-24T19:30:12Z.
        model: who answered: what `longra.load` takes.
        system: the system message at that time, or None.
        answer: None where there is none: it was stopped before it began, or its process was killed.
        finish_reason: as in `Result`; None where there is no answer.
        summary: what the model read later in place of this turn and all before it, or None.
        summary_tokens: of the summary.
    """

    id: int
    follows: int | None
    asked: str
    model: str
    system: str | None
    question: str
    answer: str | None
    finish_reason: str | None
    summary: str | None
    summary_tokens: int | None


@dataclass(frozen=True)
class Logged:
    """A conversation as it was kept.

    Attributes:
        id: eight hexadecimal digits.
        started: when; UTC.
        turns: all of them, in order of time, those that were replaced by another answer too; at least one.
    """

    id: str
    started: str
    turns: tuple[LoggedTurn, ...]

    @property
    def branch(self) -> list[LoggedTurn]:
        """The turns that lead to the latest answer: what the conversation goes on from."""
        turns = {turn.id: turn for turn in self.turns}
        at = next((turn for turn in reversed(self.turns) if turn.answer is not None), None)
        found: list[LoggedTurn] = []
        while at is not None:
            found.append(at)
            at = None if at.follows is None else turns[at.follows]
        return found[::-1]

    @property
    def unanswered(self) -> LoggedTurn | None:
        """The last message, if it came after the latest answer and got none."""
        last, branch = self.turns[-1], self.branch
        end = branch[-1].id if branch else None
        return last if last.answer is None and last.follows == end else None

    def holds(self, words: Iterable[str]) -> bool:
        """Whether each of the words is somewhere in what was said; upper and lower case are the same."""
        said = "\n".join(f"{turn.question}\n{turn.answer or ''}" for turn in self.turns).casefold()
        return all(word.casefold() in said for word in words)


class ChatLog:
    """The conversations that are kept. Processes may share it; each thread needs one of its own.

    Args:
        file: the database; made, for its owner's eyes only, if it is missing.

    Raises:
        LogError: it cannot be opened or is something else. So do all methods when it cannot be read or written.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        with self._explained():
            self._database = _opened(file)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def begin(self) -> str:
        """The id of a conversation that is about to begin; it is kept with its first turn."""
        with self._explained():
            while True:
                id_ = secrets.token_hex(4)
                if not self._database.execute("SELECT 1 FROM conversations WHERE id = ?", (id_,)).fetchone():
                    return id_

    def ask(self, conversation: str, follows: int | None, question: str, model: str, system: str | None) -> int:
        """Keep a message, and the conversation if it is its first; the turn's id."""
        now = _now()
        with self._writing():
            if follows is None:
                self._database.execute("INSERT OR IGNORE INTO conversations VALUES (?, ?)", (conversation, now))
            added = self._database.execute(
                "INSERT INTO turns (conversation, follows, asked, model, system, question) VALUES (?, ?, ?, ?, ?, ?)",
                (conversation, follows, now, model, system, question),
            )
        assert added.lastrowid is not None
        return added.lastrowid

    def answer(self, turn: int, text: str, finish_reason: str) -> None:
        """Keep the answer to a message."""
        with self._writing():
            self._database.execute(
                "UPDATE turns SET answer = ?, finish_reason = ? WHERE id = ?", (text, finish_reason, turn)
            )

    def summarise(self, turn: int, text: str, tokens: int) -> None:
        """Keep what stands, from now on, for a turn and all before it."""
        with self._writing():
            self._database.execute("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?)", (turn, text, tokens))

    def conversations(self) -> list[Logged]:
        """All of them; the one with the latest message comes last."""
        with self._explained():
            ids = self._database.execute("SELECT conversation FROM turns GROUP BY 1 ORDER BY MAX(id)").fetchall()
            return [self._read(id_) for (id_,) in ids]

    def find(self, start: str | None = None) -> Logged:
        """The conversation whose id begins so; the latest one if None.

        Raises:
            LogError: there is none, or more than one.
        """
        with self._explained():
            if start is None:
                query = "SELECT conversation FROM turns ORDER BY id DESC LIMIT 1"
                ids = [id_ for (id_,) in self._database.execute(query)]
            else:
                query = "SELECT id FROM conversations WHERE substr(id, 1, ?) = ? ORDER BY id"
                ids = [id_ for (id_,) in self._database.execute(query, (len(start), start.lower()))]
            if len(ids) == 1:
                return self._read(ids[0])
        if start is None:
            raise _nothing_kept()
        if not ids:
            raise LogError(f"there is no conversation {start!r}; `longra logs` lists them")
        raise LogError(f"{start!r} is the start of {len(ids):,} conversations: {', '.join(ids[:5])}; type more of it")

    def remove(self, ids: Iterable[str]) -> None:
        """Remove conversations so that no byte of them is left in the file."""
        with self._writing():
            self._database.executemany("DELETE FROM conversations WHERE id = ?", [(id_,) for id_ in ids])
        with self._explained():
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # the write-ahead log has old pages

    def _read(self, id_: str) -> Logged:
        (started,) = self._database.execute("SELECT started FROM conversations WHERE id = ?", (id_,)).fetchone()
        rows = self._database.execute(
            "SELECT turns.id, follows, asked, model, system, question, answer, finish_reason, text, tokens "
            "FROM turns LEFT JOIN summaries ON turn = turns.id WHERE conversation = ? ORDER BY turns.id",
            (id_,),
        )
        return Logged(id_, started, tuple(LoggedTurn(*row) for row in rows))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction: all of it is kept, or nothing."""
        with self._explained():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as problem:
            cause = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
            raise LogError(
                f"the log of conversations, {self.file}, does not work: {cause}; "
                "move it away, set LONGRA_HOME to another folder, or talk with --no-log"
            ) from None


def open_log(make: bool = True) -> ChatLog:
    """The log in the store.

    Args:
        make: an empty one if there is none.

    Raises:
        LogError: it cannot be opened, or there is none.
    """
    if not make and not chat_log_file().exists():
        raise _nothing_kept()
    return ChatLog(chat_log_file())


def kept_conversations() -> list[Logged]:
    """All conversations in the store; the one with the latest message comes last.

    Raises:
        LogError: the log cannot be read.
    """
    return ChatLog(chat_log_file()).conversations() if chat_log_file().exists() else []


def _nothing_kept() -> LogError:
    return LogError("no conversation is kept yet; `longra chat` begins one")


def _opened(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its other files the same permissions
    database = sqlite3.connect(file, timeout=_SECONDS, isolation_level=None)
    try:
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("PRAGMA secure_delete = ON")
        if _version(database) != VERSION:
            _make_tables(database, file)
    except BaseException:
        database.close()
        raise
    return database


def _make_tables(database: sqlite3.Connection, file: Path) -> None:
    """Make an empty database the log, once, whoever else is about to."""
    with locked(locks_folder() / "conversations.lock"):
        found = _version(database)
        if found > VERSION:
            raise LogError(
                f"{file} was written by a newer Longra (its version is {found}, this one reads {VERSION}); "
                "upgrade, or talk with --no-log"
            )
        if found < VERSION:
            database.execute("PRAGMA journal_mode = WAL")  # where the file system cannot, SQLite keeps its usual way
            database.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")


def _version(database: sqlite3.Connection) -> int:
    found: int = database.execute("PRAGMA user_version").fetchone()[0]
    return found


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
