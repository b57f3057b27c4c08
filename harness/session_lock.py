"""The lock of a session: as long as anybody holds it the session lives, and what it noted is its own.

Every process that may note something holds it (controller and workers, or a script), each by an opening
of its own and shared with the others. The kernel drops it with the last of them, however they end.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.errors import RigFault
from harness.inventory.lease_records import RECORD_SIZE, decode_record, describe_ourselves, encode_record
from harness.inventory.locks import close_lock, is_locked, keep_from_children, share_lock
from harness.state_directory import state_directory

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from harness.inventory.lease_records import Holder

_SUFFIX = ".lock"
_BEGINNING = ".beginning"
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


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
                share_lock(descriptor)
                os.pwrite(descriptor, encode_record(describe_ourselves(self.run_id)), 0)
                os.link(beginning, file)
            except FileNotFoundError:  # taken for a dead session's by somebody who tidies up: once more
                os.close(descriptor)
            except OSError as error:
                os.close(descriptor)
                raise RigFault(f"the lock of session {self.run_id} cannot be made: {error}") from error
            else:
                keep_from_children(descriptor)
                return descriptor
            finally:
                beginning.unlink(missing_ok=True)

    def _open(self, file: Path) -> int:
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise RigFault(f"session {self.run_id} is not there to be joined: {error}") from error
        share_lock(descriptor)
        keep_from_children(descriptor)
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
        close_lock(self._descriptor)
        self._descriptor = None


def is_alive(run_id: str) -> bool:
    """Tell whether a process of a session lives; takes nothing."""
    try:
        return _is_locked(_lock_file(run_id))
    except FileNotFoundError:
        return False


def who_began(run_id: str) -> Holder | None:
    """Tell who began a session; ``None`` when nobody knows any more."""
    try:
        return decode_record(_lock_file(run_id).read_bytes()[:RECORD_SIZE])
    except OSError:
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
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise RigFault(f"the directory for the locks of sessions cannot be made: {error}") from error
    return directory


def _lock_file(run_id: str) -> Path:
    if not _RUN_ID.fullmatch(run_id):
        raise RigFault(f"{run_id!r} is no id of a session")
    return _directory() / f"{run_id}{_SUFFIX}"
