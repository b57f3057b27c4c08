"""Histories joined: what several runners recorded, in one file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.history.files import complaint, open_to_read
from harness.history.store import number_of_test, refresh_durations

if TYPE_CHECKING:
    from pathlib import Path

    from harness.history.store import History

_SESSIONS = "SELECT number, id, began FROM sessions"
_TESTS = "SELECT number, project, name FROM tests"
_ATTEMPTS = """
SELECT test, session, attempt, kind, board, others, outcome, verdict, seconds, started FROM attempts
ORDER BY session, test, attempt
"""
_INSERT = """
INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (test, session, attempt) DO NOTHING
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What came of joining two histories.

    :ivar sessions: how many sessions were new.
    :ivar attempts: how many attempts were new.
    """

    sessions: int
    attempts: int


def merge_from(history: History, file: Path) -> Merged:
    """Add what another history has and this one has not; it happens whole or not at all.

    A session is known by its id and its beginning and an attempt by its session, its test and its number, so
    to merge the same file again changes nothing, and one that has grown adds what is new.

    :param history: gets it; nothing of it is ever changed, only added to.
    :param file: the other history, which stays as it is.
    :raises UsageError: the other is no history, is damaged, or was made by another version.
    :raises RigFault: one of the two is busy for too long, or cannot be read or written.
    """
    with closing(open_to_read(file)) as other:
        sessions, tests, attempts = _read_all(file, other)
    with history.change() as database:
        before = _count(database)
        try:
            numbers = {number: _number_of_session(database, *key) for number, key in sessions.items()}
            known = {number: number_of_test(database, *key) for number, key in tests.items()}
            for test, session, *values in attempts:
                database.execute(_INSERT, (known[test], numbers[session], *values))
        except (sqlite3.IntegrityError, KeyError) as error:
            raise UsageError(
                f"the history is damaged ({error}); nothing was taken from it",
                file=file,
                expected="a file that --history wrote",
            ) from error
        after = _count(database)
        # Every test of the other: which of its attempts are among the last ones now is not known otherwise.
        refresh_durations(database, {(known[test], str(kind)) for test, _, _, kind, *_ in attempts})
    return Merged(sessions=after[0] - before[0], attempts=after[1] - before[1])


def _read_all(
    file: Path, other: sqlite3.Connection
) -> tuple[dict[int, tuple[str, float]], dict[int, tuple[str, str]], list[tuple[Any, ...]]]:
    try:
        (state,) = other.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise UsageError(
                f"the history is damaged ({state}); nothing was taken from it",
                file=file,
                expected="a file that --history wrote",
            )
        other.execute("BEGIN")  # one state of it, though somebody may be writing
        sessions = {number: (name, began) for number, name, began in other.execute(_SESSIONS)}
        tests = {number: (project, name) for number, project, name in other.execute(_TESTS)}
        return sessions, tests, other.execute(_ATTEMPTS).fetchall()
    except sqlite3.Error as error:
        raise complaint(file, error) from error


def _number_of_session(database: sqlite3.Connection, name: str, began: float) -> int:
    row = (
        database.execute("SELECT number FROM sessions WHERE id = ? AND began = ?", (name, began)).fetchone()
        or database.execute(
            "INSERT INTO sessions (id, began) VALUES (?, ?) RETURNING number", (name, began)
        ).fetchone()
    )
    return int(row[0])


def _count(database: sqlite3.Connection) -> tuple[int, int]:
    (sessions,) = database.execute("SELECT count(*) FROM sessions").fetchone()
    (attempts,) = database.execute("SELECT count(*) FROM attempts").fetchone()
    return sessions, attempts
