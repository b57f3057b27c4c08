"""The ledger: what sessions are about to make in services and to change on boards, until it is undone.

A row is committed before the call that makes what it names, so that whatever kills a session afterwards
leaves a trace. It names its session; as long as that lives (:mod:`harness.session_lock`) nobody else
touches what the row names. No row ever holds a secret: keys are told apart by fingerprints.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.backends.contract import bare_address
from harness.errors import HarnessError, RigFault, UsageError
from harness.inventory.locks import open_lock_file, wait_for_lock
from harness.session_lock import is_alive
from harness.state_directory import state_directory as state_directory  # noqa: PLC0414 - part of what this gives

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

FILE_NAME = "ledger.sqlite3"
GUARD_NAME = "ledger.lock"
SCHEMA_VERSION = 1
BUSY_SECONDS = 30.0

_COLUMNS = "number, session, worker, backend, mode, url, kind, subject, noted, details"
_SCHEMA = """
CREATE TABLE entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT NOT NULL,
    worker TEXT NOT NULL,
    backend TEXT NOT NULL,
    mode TEXT NOT NULL,
    url TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    noted REAL NOT NULL,
    details TEXT NOT NULL,
    taken_by TEXT
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that a session made, or was about to make.

    :ivar session: id of the run that made it.
    :ivar worker: place of the worker in it; a replacement has that of the worker that it replaces.
    :ivar backend: name of the service; empty for what was changed on a board.
    :ivar mode: of a service as of :class:`~harness.backends.contract.Backend`; of a board ``own`` (its bench
        was the session's and went with it), ``virtual`` or ``attached``.
    :ivar url: address of the service, or control socket of the board's bench.
    :ivar kind: what it is, for example ``claim`` or ``board-state``.
    :ivar subject: which, for example a device's id or a board's.
    :ivar noted: when it was noted, in seconds since the epoch.
    :ivar details: what its maker needs to undo it.
    """

    number: int
    session: str
    worker: str
    backend: str
    mode: str
    url: str
    kind: str
    subject: str
    noted: float
    details: Mapping[str, str]


class Ledger:
    """The ledger of one user on this host; any number of processes may use it at once."""

    def __init__(self, directory: Path | None = None) -> None:
        """Open it; it is made when there is none.

        :param directory: where it is; :func:`state_directory` by default.
        :raises UsageError: what is there is no ledger, is damaged, or was made by another version.
        :raises RigFault: it cannot be opened or is busy for too long.
        """
        self.file = (directory or state_directory()) / FILE_NAME
        self._lock = threading.RLock()
        _make_private(self.file)
        try:
            self._connection = sqlite3.connect(
                self.file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise self._complaint(error) from error
        try:
            with self._alone():
                with self._transaction() as database:
                    self._prepare(database)
                self._change_settings()
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one at a time begin: SQLite does not wait for others when it turns to write-ahead logging."""
        file = self.file.with_name(GUARD_NAME)
        try:
            guard = wait_for_lock(lambda: open_lock_file(file), time.monotonic() + BUSY_SECONDS)
        except OSError as error:
            raise RigFault(f"{file} cannot be locked: {error}") from error
        if guard is None:
            raise RigFault(f"{file} stayed locked by another session for {BUSY_SECONDS:g} s")
        try:
            yield
        finally:
            os.close(guard)

    def _prepare(self, database: sqlite3.Connection) -> None:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == SCHEMA_VERSION:
            return
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version or tables:
            raise UsageError(
                "is a ledger of another version of the harness, or none at all",
                file=self.file,
                key="user_version",
                value=version,
                expected=f"{SCHEMA_VERSION}; sweep it with the version that made it, then move it away",
            )
        database.execute(_SCHEMA)
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _change_settings(self) -> None:
        """Write ahead, so that readers wait for nobody, and let no row be lost to a power cut."""
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            raise self._complaint(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Do several things at once or not at all, while nobody else writes."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                finally:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise self._complaint(error) from error

    def _complaint(self, error: sqlite3.Error) -> HarnessError:
        if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError):
            return RigFault(f"the ledger {self.file} cannot be used: {error}")
        return UsageError(
            f"the ledger is damaged ({error}); nothing was changed in it",
            file=self.file,
            expected="an SQLite database of the harness; move the file away to begin a new one, and look"
            " through your services yourself: what dead sessions left there is not known any more",
        )

    def note(
        self,
        *,
        session: str,
        worker: str,
        backend: str,
        mode: str,
        url: str,
        kind: str,
        subject: str,
        details: Mapping[str, str] | None = None,
    ) -> Entry:
        """Note what is about to be made; when this returns it is on the disk.

        The parameters are those of :class:`Entry`. Of an address the name and password are left out.

        :raises RigFault: it cannot be written; make nothing then.
        """
        (entry,) = self.note_all(
            session=session,
            worker=worker,
            backend=backend,
            mode=mode,
            url=url,
            kind=kind,
            subjects=[subject],
            details=details,
        )
        return entry

    def note_all(
        self,
        *,
        session: str,
        worker: str,
        backend: str,
        mode: str,
        url: str,
        kind: str,
        subjects: Sequence[str],
        details: Mapping[str, str] | None = None,
    ) -> list[Entry]:
        """Note what one call is about to make of several; when this returns all is on the disk.

        :param subjects: as of :class:`Entry`, one for each; for the rest see :meth:`note`.
        :raises RigFault: it cannot be written, and nothing of it is; make nothing then.
        """
        text = json.dumps(dict(details or {}))
        columns = _COLUMNS.removeprefix("number, ")
        rows = [
            (session, worker, backend, mode, bare_address(url), kind, subject, time.time(), text)
            for subject in subjects
        ]
        places = ", ".join("?" * len(columns.split(", ")))
        statement = f"INSERT INTO entries ({columns}) VALUES ({places})"  # noqa: S608 - constants
        with self._transaction() as database:
            numbers = [database.execute(statement, row).lastrowid for row in rows]
        return [_entry((number, *row)) for number, row in zip(numbers, rows, strict=True)]

    def amend(self, number: int, **details: str) -> None:
        """Add to the details of an entry.

        :raises RigFault: there is no such entry any more.
        """
        with self._transaction() as database:
            row = database.execute("SELECT details FROM entries WHERE number = ?", (number,)).fetchone()
            if row is None:
                raise RigFault(f"entry {number} is not in the ledger {self.file} any more")
            text = json.dumps({**json.loads(row[0]), **details})
            database.execute("UPDATE entries SET details = ? WHERE number = ?", (text, number))

    def settle(self, number: int) -> None:
        """Strike out an entry: what it names is undone, or was never made; idempotent."""
        self.settle_all([number])

    def settle_all(self, numbers: Sequence[int]) -> None:
        """Strike out several entries at once; idempotent."""
        with self._transaction() as database:
            database.executemany("DELETE FROM entries WHERE number = ?", [(number,) for number in numbers])

    def entries(self, **wanted: str) -> list[Entry]:
        """Return entries, oldest first.

        :param wanted: values that they must have: ``session``, ``worker``, ``backend``, ``mode``, ``url``,
            ``kind``, ``subject``.
        """
        condition = " AND ".join(f"{name} = ?" for name in wanted) or "1"
        if not set(wanted) <= set(_COLUMNS.split(", ")):
            raise TypeError(f"no such columns: {sorted(wanted)}")
        with self._lock:
            try:
                rows = self._connection.execute(
                    f"SELECT {_COLUMNS} FROM entries WHERE {condition} ORDER BY number",  # noqa: S608 - names looked up above
                    tuple(wanted.values()),
                ).fetchall()
            except sqlite3.Error as error:
                raise self._complaint(error) from error
        return [_entry(row) for row in rows]

    def take(self, number: int, by: str) -> bool:
        """Take an entry to undo what it names: of any number of sessions that try one gets it.

        :param by: id of the session that wants to; it must hold its lock.
        :return: whether it is this session's now: it is not when the entry is gone, when the session that
            made it lives, or when another that lives took it.
        """
        with self._transaction() as database:
            row = database.execute(
                "SELECT session, taken_by FROM entries WHERE number = ?", (number,)
            ).fetchone()
            if row is None or any(other and other != by and is_alive(other) for other in row):
                return False
            database.execute("UPDATE entries SET taken_by = ? WHERE number = ?", (by, number))
        return True

    def give_back(self, number: int) -> None:
        """Leave an entry that was taken to whoever comes next: it could not be undone."""
        with self._transaction() as database:
            database.execute("UPDATE entries SET taken_by = NULL WHERE number = ?", (number,))

    def accounts(self, *, session: str, worker: str, backend: str, mode: str, url: str) -> LedgerAccounts:
        """Return the accounts of one worker with one service, or with one board."""
        return LedgerAccounts(self, session=session, worker=worker, backend=backend, mode=mode, url=url)

    def close(self) -> None:
        """Close it; idempotent."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


class LedgerAccounts:
    """What one worker notes of one service or board; see :class:`~harness.backends.contract.Accounts`."""

    def __init__(
        self, ledger: Ledger, *, session: str, worker: str, backend: str, mode: str, url: str
    ) -> None:
        """Note nothing yet; the parameters are those of :class:`Entry`."""
        self._ledger = ledger
        self._session = session
        self._worker = worker
        self._backend = backend
        self._mode = mode
        self._url = url
        self._open: set[int] = set()

    def note(self, kind: str, subject: str, **details: str) -> int:
        """Note what is about to be made."""
        (number,) = self.note_all(kind, [subject], **details)
        return number

    def note_all(self, kind: str, subjects: Sequence[str], **details: str) -> list[int]:
        """Note what one call is about to make of several."""
        entries = self._ledger.note_all(
            session=self._session,
            worker=self._worker,
            backend=self._backend,
            mode=self._mode,
            url=self._url,
            kind=kind,
            subjects=subjects,
            details=details,
        )
        numbers = [entry.number for entry in entries]
        self._open.update(numbers)
        return numbers

    def amend(self, number: int, **details: str) -> None:
        """Add to the details."""
        self._ledger.amend(number, **details)

    def settle(self, number: int) -> None:
        """It is undone, or was never made."""
        self.settle_all([number])

    def settle_all(self, numbers: Sequence[int]) -> None:
        """They are undone, or were never made."""
        self._ledger.settle_all(numbers)
        self._open.difference_update(numbers)

    def keep(self) -> None:
        """Mark what is not settled as left on purpose: no session undoes it, only ``harness sweep``."""
        for number in self._open:
            self._ledger.amend(number, kept="yes")
        self._open.clear()


def _make_private(file: Path) -> None:
    """Make the file readable by its user alone before SQLite opens it, and its companions like it."""
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)
    except OSError as error:
        raise RigFault(f"the ledger {file} cannot be opened: {error.strerror}") from error


def _entry(row: tuple[object, ...]) -> Entry:
    names = _COLUMNS.split(", ")
    values = dict(zip(names, row, strict=True))
    return Entry(**{**values, "details": json.loads(str(values["details"]))})
