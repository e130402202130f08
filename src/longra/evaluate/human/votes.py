"""A study and its votes in one SQLite file. Rows are added and never changed: of a rater's votes on a task the last counts.

A vote is on the disk before `add` returns: SQLite's rollback journal is synchronised at each commit, which is what a person
who votes every few seconds needs, and it leaves one file. Several processes may use the file at once.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from longra.errors import LongraError, UsageError
from longra.evaluate.human.items import Item, Outputs
from longra.evaluate.human.study import CRITERIA, Answer, Mode, Study

_APPLICATION = 0x4C76_6F74
"""SQLite's application_id of these files: "Lvot"."""

_PATIENCE = 30.0
"""Seconds to wait for another process that is writing."""

_SCHEMA = """
CREATE TABLE study (mode TEXT NOT NULL, systems TEXT NOT NULL, criteria TEXT NOT NULL, seed INTEGER NOT NULL);
CREATE TABLE items (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, prompt TEXT NOT NULL, texts TEXT NOT NULL);
CREATE TABLE votes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, rater TEXT NOT NULL,
    task INTEGER NOT NULL, item TEXT NOT NULL, shown TEXT NOT NULL, answer TEXT NOT NULL
);
CREATE INDEX votes_of_a_rater ON votes (rater, task);
CREATE VIEW latest AS SELECT * FROM votes WHERE number IN (SELECT max(number) FROM votes GROUP BY rater, task);
"""


@dataclass(frozen=True)
class Vote:
    """What a rater said.

    Attributes:
        task: the task's number.
        item: the item's id.
        shown: the systems from left to right.
    """

    rater: str
    task: int
    item: str
    shown: tuple[str, ...]
    answer: Answer


@dataclass(frozen=True)
class Wanted:
    """What the user said about a study; None where nothing."""

    mode: Mode | None = None
    criteria: tuple[str, ...] | None = None
    seed: int | None = None


class VoteFile:
    """A study's file.

    Args:
        path: it need not be there yet; see `begin`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, wanted: Wanted, outputs: Outputs | None) -> Study:
        """Begin a study, or go on with the one in the file; items that are new to it are added.

        Args:
            outputs: None to take the file's.

        Raises:
            UsageError: there is nothing to judge, or the file holds another study.
            LongraError: the file cannot be used; an item is not what was judged before.
        """
        if not self.path.exists():
            if outputs is None:
                raise UsageError(f"there is no study in {self.path} to go on with; give the files to judge")
            _new_study(wanted, outputs)  # what is wrong with it is said before there is a file
        with self._connection(create=True) as db, self._writing(db):
            if _is_new(db):
                if outputs is None:
                    raise UsageError(f"{self.path} is empty; give the files to judge")
                _create(db, _new_study(wanted, outputs))
            study = _study(db)
            self._check(study, wanted, outputs)
            if outputs is not None:
                self._add_items(db, outputs)
        return study

    def study(self) -> Study:
        """The study in the file.

        Raises:
            LongraError: there is none.
        """
        with self._connection() as db:
            return _study(db)

    def items(self) -> tuple[Item, ...]:
        """All items, in order."""
        with self._connection() as db:
            return _items(db)

    def add(self, vote: Vote) -> int:
        """Keep a vote for good; its number."""
        with self._connection() as db, self._writing(db):
            now = datetime.now(UTC).isoformat(timespec="seconds")
            done = db.execute(
                "INSERT INTO votes (at, rater, task, item, shown, answer) VALUES (?, ?, ?, ?, ?, ?)",
                (now, vote.rater, vote.task, vote.item, _json(vote.shown), _json(vote.answer)),
            )
            assert done.lastrowid is not None
            return done.lastrowid

    def latest(self, rater: str | None = None) -> list[Vote]:
        """The votes that count, oldest first: of all raters, or of one."""
        with self._connection() as db:
            rows = db.execute(
                "SELECT rater, task, item, shown, answer FROM latest WHERE ?1 IS NULL OR rater = ?1 ORDER BY number",
                (rater,),
            )
            return [
                Vote(rater, task, item, tuple(json.loads(shown)), json.loads(answer))
                for rater, task, item, shown, answer in rows
            ]

    @contextmanager
    def _connection(self, create: bool = False) -> Iterator[sqlite3.Connection]:
        """The file, opened and known to be one of these (or empty, where it may be created)."""
        if not create and not self.path.exists():
            raise LongraError(
                f"there are no votes in {self.path}, which is not there; name the file with --db, "
                "or begin: longra evaluate human OLD.jsonl NEW.jsonl"
            )
        mode = "rwc" if create else "rw"
        try:
            db = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE, isolation_level=None
            )
        except sqlite3.OperationalError as error:
            raise self._fault(error) from None
        try:
            db.execute("PRAGMA synchronous = FULL")
            (application,) = db.execute("PRAGMA application_id").fetchone()
            if application != _APPLICATION and not (create and _is_new(db)):
                raise LongraError(f"{self.path} holds no votes of `longra evaluate human`; give another --db")
            yield db
        except sqlite3.Error as error:
            raise self._fault(error) from None
        finally:
            db.close()

    @contextmanager
    def _writing(self, db: sqlite3.Connection) -> Iterator[None]:
        """All or nothing; others wait."""
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def _fault(self, error: sqlite3.Error) -> LongraError:
        return LongraError(f"cannot use {self.path} for votes: {error}; check the path, or give another --db")

    def _check(self, study: Study, wanted: Wanted, outputs: Outputs | None) -> None:
        """That the file's study is the one that is wanted."""
        pairs = [
            ("mode", wanted.mode, study.mode),
            ("criteria", wanted.criteria, study.criteria),
            ("seed", wanted.seed, study.seed),
            ("systems", outputs and outputs.systems, study.systems),
        ]
        for name, new, old in pairs:
            if new is not None and new != old:
                raise UsageError(
                    f"{self.path} holds a study with {name} {_words(old)}, not {_words(new)}; "
                    "give another --db, or leave the option out"
                )

    def _add_items(self, db: sqlite3.Connection, outputs: Outputs) -> None:
        known = {item.id: item for item in _items(db)}
        for item in outputs.items:
            if item.id not in known:
                row = (item.id, item.prompt, _json(item.texts))
                db.execute("INSERT INTO items (id, prompt, texts) VALUES (?, ?, ?)", row)
            elif item != known[item.id]:
                raise LongraError(
                    f"item {item.id} is not what {self.path} has under that id; votes on other texts need another --db"
                )


def _is_new(db: sqlite3.Connection) -> bool:
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables


def _create(db: sqlite3.Connection, study: Study) -> None:
    for statement in _SCHEMA.split(";")[:-1]:  # executescript would commit first
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {_APPLICATION}")
    row = (study.mode, _json(study.systems), _json(study.criteria), study.seed)
    db.execute("INSERT INTO study VALUES (?, ?, ?, ?)", row)


def _new_study(wanted: Wanted, outputs: Outputs) -> Study:
    mode: Mode = wanted.mode or ("rating" if wanted.criteria else "pairwise")
    if mode == "pairwise":
        if wanted.criteria:
            raise UsageError("--criteria are for --mode rating")
        if len(outputs.systems) < 2:
            raise UsageError("pairs need the outputs of 2 systems or more; give another file, or --mode rating")
    seed = secrets.randbelow(2**31) if wanted.seed is None else wanted.seed
    criteria = () if mode == "pairwise" else wanted.criteria or CRITERIA
    return Study(mode, outputs.systems, criteria, seed)


def _study(db: sqlite3.Connection) -> Study:
    mode, systems, criteria, seed = db.execute("SELECT mode, systems, criteria, seed FROM study").fetchone()
    return Study(mode, tuple(json.loads(systems)), tuple(json.loads(criteria)), seed)


def _items(db: sqlite3.Connection) -> tuple[Item, ...]:
    rows = db.execute("SELECT id, prompt, texts FROM items ORDER BY position")
    return tuple(Item(id_, prompt, json.loads(texts)) for id_, prompt, texts in rows)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _words(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)
