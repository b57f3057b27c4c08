"""The private directory of a session, and the sweeping of those that dead sessions left behind."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from typing import TYPE_CHECKING

from harness.config import runtime_directory
from harness.errors import RigFault
from harness.inventory.locks import is_locked, open_lock_file, try_lock, wait_for_lock

if TYPE_CHECKING:
    from pathlib import Path

LOCK_NAME = "lock"
_SECONDS_FOR_OTHERS = 30.0


def new_run_id() -> str:
    """Return the id of a new run: short, since it is part of paths and of names made in services."""
    return secrets.token_hex(4)


class SessionDirectory:
    """A directory of mode 0700 that lives as long as its session.

    Holds ``lock`` (locked while the session lives), ``lifeline``, ``needs/`` (what tests need, written by
    the workers), ``captures/`` (consoles), ``bench/``, ``fakes/``, and on hardware ``turns/`` (which tests
    were begun or revoked) and ``away/`` (which boards are not there).
    """

    def __init__(self, run_id: str) -> None:
        """Sweep what dead sessions left and make the directory.

        :param run_id: id of the run; the directory's name.
        :raises RigFault: another session holds the directory of sessions for too long.
        """
        sessions = _directory_of_sessions()
        guard = _guard(sessions)
        try:
            sweep(sessions)
            self.path = sessions / run_id
            self.path.mkdir(mode=0o700)
            self._lock: int | None = open_lock_file(self.path / LOCK_NAME)
            try_lock(self._lock)
        finally:
            os.close(guard)
        for name in ("needs", "captures", "bench", "fakes"):
            (self.path / name).mkdir(mode=0o700)

    def close(self, *, keep: Path | None = None) -> None:
        """Remove the directory; idempotent.

        :param keep: where to move the captures of the consoles first; ``None`` removes them too.
        """
        if self._lock is None:
            return
        captures = self.path / "captures"
        if keep is not None and any(captures.iterdir()):
            keep.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(captures, keep)
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)
        self._lock = None


def _guard(sessions: Path) -> int:
    """Keep others from sweeping a directory that is not locked yet."""
    file = sessions.parent / "sessions.lock"
    guard = wait_for_lock(lambda: open_lock_file(file), time.monotonic() + _SECONDS_FOR_OTHERS)
    if guard is None:
        raise RigFault(f"{file} stayed locked by another session for {_SECONDS_FOR_OTHERS:g} s")
    return guard


def _directory_of_sessions() -> Path:
    sessions = runtime_directory() / "s"  # short: paths of UNIX sockets end at 107 characters
    sessions.mkdir(mode=0o700, exist_ok=True)
    return sessions


def dead_sessions() -> list[Path]:
    """Return the directories that dead sessions left behind; removes nothing.

    :raises RigFault: another session holds the directory of sessions for too long.
    """
    sessions = _directory_of_sessions()
    guard = _guard(sessions)
    try:
        return [directory for directory in sorted(sessions.iterdir()) if not _is_alive(directory)]
    finally:
        os.close(guard)


def _is_alive(directory: Path) -> bool:
    try:
        lock = os.open(directory / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return is_locked(lock)
    finally:
        os.close(lock)


def sweep_dead_sessions() -> list[str]:
    """Remove the directories of dead sessions; see :func:`sweep`.

    :raises RigFault: another session holds the directory of sessions for too long.
    """
    sessions = _directory_of_sessions()
    guard = _guard(sessions)
    try:
        return sweep(sessions)
    finally:
        os.close(guard)


def sweep(sessions: Path) -> list[str]:
    """Remove the directories of dead sessions: those whose lock is free.

    The caller holds the guard, so a directory without a lock is not one that is just being made.

    :param sessions: the directory that holds them.
    :return: ids of the sessions that were swept.
    """
    swept = []
    for directory in sorted(sessions.iterdir()):
        lock = directory / LOCK_NAME
        if lock.exists():
            descriptor = open_lock_file(lock)
            dead = try_lock(descriptor)
            if dead:
                shutil.rmtree(directory, ignore_errors=True)
            os.close(descriptor)
        else:
            dead = True
            shutil.rmtree(directory, ignore_errors=True)
        if dead:
            swept.append(directory.name)
    return swept
