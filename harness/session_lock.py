"""The lock of a session: as long as anybody holds it the session lives, and what it noted is its own.

Every process that may note something holds it (controller and workers, or a script), each by an opening
of its own and shared with the others. The kernel drops it with the last of them, however they end.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import re
import secrets
import socket
import struct
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.errors import RigFault
from harness.inventory.locks import is_locked
from harness.state_directory import state_directory

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_SUFFIX = ".lock"
_BEGINNING = ".beginning"
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FLOCK = struct.Struct("@hhqqi4x")  # struct flock of 64-bit Linux
_LARGEST_RECORD = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """Who began a session.

    :ivar since: when, ISO 8601 in UTC.
    """

    user: str
    pid: int
    host: str
    since: str

    def __str__(self) -> str:
        """Say it for a person."""
        return f"{self.user}, pid {self.pid} on {self.host}, since {self.since}"


class SessionLock:
    """A part in a session's lock; a context manager that gives it back."""

    def __init__(self, run_id: str, *, join: bool = False) -> None:
        """Begin a session, or join one.

        :param run_id: id of the run.
        :param join: the session was begun by another process that is still in it.
        :raises RigFault: there is such a session already, or none to be joined.
        """
        self.run_id = run_id
        self._file = _lock_file(run_id)
        self._began = not join
        self._descriptor: int | None = self._open(self._file) if join else self._make(self._file)

    def _make(self, file: Path) -> int:
        """Make the lock file; at its path it is seen by others with the lock already taken, or not at all."""
        beginning = file.with_suffix(f".{secrets.token_hex(4)}{_BEGINNING}")
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_CREAT | os.O_EXCL
        while True:
            try:
                descriptor = os.open(beginning, flags, 0o600)
            except OSError as error:
                raise RigFault(f"the lock of session {self.run_id} cannot be made: {error}") from error
            try:
                _share(descriptor)
                os.pwrite(descriptor, _record(), 0)
                os.link(beginning, file)
            except FileNotFoundError:  # taken for a dead session's by somebody who tidies up: once more
                os.close(descriptor)
            except OSError as error:
                os.close(descriptor)
                raise RigFault(f"the lock of session {self.run_id} cannot be made: {error}") from error
            else:
                return descriptor
            finally:
                beginning.unlink(missing_ok=True)

    def _open(self, file: Path) -> int:
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise RigFault(f"session {self.run_id} is not there to be joined: {error}") from error
        _share(descriptor)
        return descriptor

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        self.close()

    def close(self, *, keep: bool = False) -> None:
        """Give it back; idempotent. Who began the session takes its file away too.

        :param keep: something of the session is left to be undone: the file stays and says whose it is.
        """
        if self._descriptor is None:
            return
        if self._began and not keep:
            self._file.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None


def is_alive(run_id: str) -> bool:
    """Tell whether a process of a session lives; takes nothing."""
    try:
        return _is_locked(_lock_file(run_id))
    except FileNotFoundError:
        return False


def session_info(run_id: str) -> SessionInfo | None:
    """Tell who began a session; ``None`` when that is not known any more."""
    try:
        text = _lock_file(run_id).read_bytes()[:_LARGEST_RECORD]
        return SessionInfo(**json.loads(text))
    except (OSError, ValueError, TypeError):
        return None


def remove_locks_of_the_dead(but: Collection[str] = ()) -> None:
    """Remove the lock files of dead sessions.

    :param but: ids of sessions of which something is left: their files still say whose it is.
    """
    for file in _directory().iterdir():
        beginning = file.name.endswith(_BEGINNING)
        if (beginning or file.name.endswith(_SUFFIX)) and file.name.removesuffix(_SUFFIX) not in but:
            # One that is not locked stays so: a session's file gets its name when it is locked already, and
            # who begins a session tries again when the beginning vanishes.
            with suppress(FileNotFoundError):
                if not _is_locked(file):
                    file.unlink()


def _is_locked(file: Path) -> bool:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        return is_locked(descriptor)
    finally:
        os.close(descriptor)


def _directory() -> Path:
    directory = state_directory() / "sessions"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def _lock_file(run_id: str) -> Path:
    if not _RUN_ID.fullmatch(run_id):
        raise RigFault(f"{run_id!r} is no id of a session")
    return _directory() / f"{run_id}{_SUFFIX}"


def _share(descriptor: int) -> None:
    """Take the lock together with whoever else has a part in the session; nobody ever takes it alone."""
    whole_file = (os.SEEK_SET, 0, 0, 0)
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_RDLCK, *whole_file))


def _record() -> bytes:
    info = SessionInfo(
        user=_user_name(),
        pid=os.getpid(),
        host=socket.gethostname(),
        since=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return json.dumps(asdict(info)).encode()


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as containers have them
        return f"uid {os.getuid()}"
