"""The history: what each test came to on which board, attempt by attempt, over all sessions of a user.

An attempt is written when it ends, so a session that is killed keeps what it had. No text in it may hold a
secret: whoever records redacts first.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from harness.history.attempts import Attempt
from harness.history.files import complaint, default_file, open_to_read, open_to_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

#: A duration is the median of so many: the last ones that passed, on boards of one kind.
RECENT: Final = 5
#: What is older is forgotten.
LONGEST_SECONDS: Final = 180 * 86_400.0
#: What is beyond it is forgotten, whole sessions and the oldest first.
MOST_ATTEMPTS: Final = 500_000
_RECENT_SECONDS: Final = """
SELECT seconds FROM attempts WHERE test = ? AND kind = ? AND outcome = 'passed'
ORDER BY started DESC LIMIT ?
"""
_ATTEMPTS: Final = """
SELECT sessions.id, project, name, kind, board, others, outcome, verdict, seconds, attempt, started
FROM attempts JOIN tests ON tests.number = test JOIN sessions ON sessions.number = session
WHERE (? IS NULL OR project = ?) AND started >= ? ORDER BY started, attempt
"""
_TOO_MANY: Final = """
SELECT number FROM (
    SELECT number, sum(size) OVER (ORDER BY began DESC, number DESC) AS total
    FROM (SELECT sessions.*, (SELECT count(*) FROM attempts WHERE session = number) AS size FROM sessions)
) WHERE total > ?
"""


class History:
    """A history; any number of processes may use one at once. One thread uses this object."""

    def __init__(self, file: Path | None = None, *, read_only: bool = False) -> None:
        """Open it; it is made when there is none.

        :param file: where it is; :func:`~harness.history.files.default_file` by default.
        :param read_only: it is only read, and has to be there.
        :raises UsageError: what is there is no history, is damaged, or was made by another version.
        :raises RigFault: it cannot be opened, or is busy for too long.
        """
        self.file = file or default_file()
        self._database = open_to_read(self.file) if read_only else open_to_write(self.file)

    def close(self) -> None:
        """Close it; idempotent."""
        self._database.close()

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    # -- writing ------------------------------------------------------------------------------------------

    def begin(self, session: str, began: float) -> SessionHistory:
        """Begin to record a session.

        :param session: id of the run.
        :param began: when it began, in seconds since the epoch.
        :raises RigFault: the file is busy for too long, or cannot be written.
        """
        with self.change() as database:
            row = database.execute(
                "INSERT INTO sessions (id, began) VALUES (?, ?) RETURNING number", (session, began)
            ).fetchone()
        return SessionHistory(self, session, row[0])

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Do several things at once or not at all, while nobody else writes.

        :raises UsageError: the file is damaged.
        :raises RigFault: it is busy for too long, or cannot be written.
        """
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise complaint(self.file, error) from error

    def forget(self, now: float) -> int:
        """Forget sessions that are too old, or too many.

        :param now: seconds since the epoch.
        :return: how many were forgotten.
        """
        with self.change() as database:
            old = database.execute("SELECT number FROM sessions WHERE began < ?", (now - LONGEST_SECONDS,))
            gone = set(old)
            (attempts,) = database.execute("SELECT count(*) FROM attempts").fetchone()
            if attempts > MOST_ATTEMPTS:
                gone.update(database.execute(_TOO_MANY, (MOST_ATTEMPTS,)))
            if gone:
                database.executemany("DELETE FROM attempts WHERE session = ?", gone)
                database.executemany("DELETE FROM sessions WHERE number = ?", gone)
                for table, column in (("durations", "test"), ("tests", "number")):
                    database.execute(
                        f"DELETE FROM {table} WHERE {column} NOT IN (SELECT test FROM attempts)"  # noqa: S608 - constants
                    )
        return len(gone)

    # -- reading ------------------------------------------------------------------------------------------

    def expected_seconds(self, project: str) -> dict[str, dict[str, float]]:
        """Return how long tests are expected to take: by id of the test, then by kind of board.

        What is known of one kind says nothing of another. Tests without a board have
        :data:`~harness.history.attempts.NO_KIND`.

        :param project: what the tests belong to.
        """
        found: dict[str, dict[str, float]] = {}
        for name, kind, seconds in self._rows(
            "SELECT name, kind, seconds FROM tests JOIN durations ON test = number WHERE project = ?",
            (project,),
        ):
            found.setdefault(name, {})[kind] = seconds
        return found

    def attempts(self, *, project: str | None = None, since: float = 0.0) -> list[Attempt]:
        """Return attempts, those that began first first.

        :param project: only this one's.
        :param since: only what began then or later, in seconds since the epoch.
        """
        return [
            Attempt(
                session=session,
                project=of,
                test=test,
                kind=kind,
                board=board,
                others=tuple(map(str, json.loads(others))),
                outcome=outcome,
                verdict=verdict,
                seconds=seconds,
                attempt=number,
                started=started,
            )
            for (
                session,
                of,
                test,
                kind,
                board,
                others,
                outcome,
                verdict,
                seconds,
                number,
                started,
            ) in self._rows(_ATTEMPTS, (project, project, since))
        ]

    @property
    def sessions(self) -> list[tuple[str, float]]:
        """Id and beginning of each session, the first first."""
        return self._rows("SELECT id, began FROM sessions ORDER BY began, number")

    @property
    def projects(self) -> list[str]:
        """The projects of which anything is known."""
        return [name for (name,) in self._rows("SELECT DISTINCT project FROM tests ORDER BY project")]

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise complaint(self.file, error) from error


class SessionHistory:
    """Records what one session came to."""

    def __init__(self, history: History, session: str, number: int) -> None:
        """Record nothing yet; see :meth:`History.begin`."""
        self._history = history
        self._session = session
        self._number = number
        self._tests: dict[tuple[str, str], int] = {}

    def record(self, attempt: Attempt) -> None:
        """Write down an attempt; when this returns it outlives this process.

        Its ``session`` is taken for granted.

        :raises RigFault: the file is busy for too long, or cannot be written.
        """
        key = (attempt.project, attempt.test)
        with self._history.change() as database:
            test = self._tests.get(key)
            if test is None:
                test = number_of_test(database, *key)
            database.execute(
                "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    test,
                    self._number,
                    attempt.attempt,
                    attempt.kind,
                    attempt.board,
                    json.dumps(attempt.others),
                    attempt.outcome,
                    attempt.verdict,
                    attempt.seconds,
                    attempt.started,
                ),
            )
            if attempt.outcome == "passed":
                refresh_durations(database, [(test, attempt.kind)])
        self._tests[key] = test


def number_of_test(database: sqlite3.Connection, project: str, name: str) -> int:
    """Return the number of a test; it gets one when it has none."""
    row = (
        database.execute(
            "SELECT number FROM tests WHERE project = ? AND name = ?", (project, name)
        ).fetchone()
        or database.execute(
            "INSERT INTO tests (project, name) VALUES (?, ?) RETURNING number", (project, name)
        ).fetchone()
    )
    return int(row[0])


def refresh_durations(database: sqlite3.Connection, of: Iterable[tuple[int, str]]) -> None:
    """Work out once more how long tests take.

    :param database: in a transaction.
    :param of: numbers of tests, each with a kind of board.
    """
    for test, kind in of:
        seconds = [row[0] for row in database.execute(_RECENT_SECONDS, (test, kind, RECENT))]
        if seconds:
            database.execute(
                "INSERT OR REPLACE INTO durations VALUES (?, ?, ?)", (test, kind, median(seconds))
            )
