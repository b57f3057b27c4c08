"""The file that holds a history: made whole or not at all, private, opened with care, never overwritten.

What is in it is an SQLite database with write-ahead logging, so that sessions and readers wait for nobody.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

from harness.errors import HarnessError, RigFault, UsageError
from harness.history.attempts import OUTCOMES
from harness.state_directory import state_directory

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME: Final = "history.sqlite3"
SCHEMA_VERSION: Final = 1
APPLICATION_ID: Final = 0x48495354  # "HIST", so that no other database is taken for one
BUSY_SECONDS: Final = 10.0
_OUTCOMES: Final = ", ".join(f"'{outcome}'" for outcome in OUTCOMES)
_SCHEMA: Final = f"""
CREATE TABLE sessions (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    began REAL NOT NULL,
    UNIQUE (id, began)
) STRICT;
CREATE TABLE tests (
    number INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (project, name)
) STRICT;
CREATE TABLE attempts (
    test INTEGER NOT NULL REFERENCES tests,
    session INTEGER NOT NULL REFERENCES sessions,
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    kind TEXT NOT NULL,
    board TEXT NOT NULL,
    others TEXT NOT NULL CHECK (json_valid(others)),
    outcome TEXT NOT NULL CHECK (outcome IN ({_OUTCOMES})),
    verdict TEXT NOT NULL,
    seconds REAL NOT NULL CHECK (seconds >= 0),
    started REAL NOT NULL,
    PRIMARY KEY (test, session, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_session ON attempts (session);
CREATE INDEX passed_attempts ON attempts (test, kind, started) WHERE outcome = 'passed';
CREATE TABLE durations (
    test INTEGER NOT NULL REFERENCES tests,
    kind TEXT NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (test, kind)
) STRICT, WITHOUT ROWID;
"""


def default_file() -> Path:
    """Return where the history of this user is, unless told otherwise.

    :raises UsageError: the state directory cannot be made.
    """
    return state_directory() / FILE_NAME


def open_to_write(file: Path) -> sqlite3.Connection:
    """Open a history; it is made when there is none.

    :raises UsageError: what is there is no history, is damaged, or was made by another version.
    :raises RigFault: it cannot be opened, or is busy for too long.
    """
    try:
        if not file.exists():
            _make(file)
        elif file.is_file() and file.stat().st_uid == os.getuid() and file.stat().st_mode & 0o077:
            file.chmod(0o600)
    except OSError as error:
        raise RigFault(f"the history {file} cannot be opened: {error.strerror}") from error
    return _open(file, f"{file.absolute().as_uri()}?mode=rw")


def open_to_read(file: Path) -> sqlite3.Connection:
    """Open a history that is only read; also one that may not be written to.

    :raises UsageError: there is none, or it is damaged, or was made by another version.
    :raises RigFault: it cannot be opened.
    """
    try:
        found = file.is_file()
    except OSError as error:
        raise RigFault(f"the history {file} cannot be opened: {error.strerror}") from error
    if not found:
        raise UsageError("there is no history", file=file, expected="a file that --history wrote")
    address = f"{file.absolute().as_uri()}?mode=ro"
    # Without its log nobody is writing to it; one that is nobody's to write has no place for a log.
    if not file.with_name(f"{file.name}-wal").exists() and not os.access(file.parent, os.W_OK):
        address += "&immutable=1"
    return _open(file, address)


def _open(file: Path, address: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise complaint(file, error) from error
    try:
        _check(file, connection)
        # A power cut may cost the last rows, and nothing else; nobody waits for the disk.
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error as error:
        connection.close()
        raise complaint(file, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _check(file: Path, connection: sqlite3.Connection) -> None:
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if owner != APPLICATION_ID:
        raise UsageError(
            "is no history; nothing was changed in it", file=file, expected="a file that --history wrote"
        )
    if version != SCHEMA_VERSION:
        raise UsageError(
            "is a history of another version of the harness; nothing was changed in it",
            file=file,
            key="user_version",
            value=version,
            expected=f"{SCHEMA_VERSION}; move it away to begin a new one",
        )


def _make(file: Path) -> None:
    """Make a history beside its place and put it there whole: two sessions may begin at once.

    :raises OSError: it cannot be made.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        with suppress(FileExistsError):  # somebody was faster, and that one is as good
            os.link(new, file)
    except sqlite3.Error as error:
        raise complaint(file, error) from error
    finally:
        new.unlink(missing_ok=True)


def complaint(file: Path, error: sqlite3.Error) -> HarnessError:
    """Say what SQLite complains of, in our words.

    :param file: the history.
    """
    if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError):
        return RigFault(f"the history {file} cannot be used: {error}")
    return UsageError(
        f"the history is damaged ({error}); nothing was changed in it",
        file=file,
        expected="an SQLite database of the harness; move the file away to begin a new one",
    )
