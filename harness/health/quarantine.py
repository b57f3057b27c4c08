"""Boards that sessions leave alone until a time: files beside the leases, shared by the users of the host.

Each is a file of its own that appears whole. It ends by itself, or somebody lifts it; a file that cannot be
read keeps nobody from a board, for whoever uses it looks whether it answers before its first test.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from harness.errors import RigFault
from harness.health.quarantine_records import (
    RECORD_SIZE,
    Quarantine,
    decode_record,
    encode_record,
    shown,
)
from harness.inventory.lease_directory import place_of_bench
from harness.inventory.locks import open_lock_file, wait_for_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta
    from pathlib import Path

    from harness.inventory.board import Board

SUFFIX = ".quarantine"
LOCK_NAME = ".quarantine.lock"
# As a lease's: whoever reaches the directory may lift a quarantine; who that is, the directory's mode says.
FILE_MODE = 0o666
_LOCK_SECONDS = 10.0
_LIFTED = b"{}".ljust(RECORD_SIZE)


def names_of(board: Board) -> tuple[str, ...]:
    """Return what all sessions call a board alike, whatever else is plugged in.

    Where it is, is no name of it, as long as anything else is known: another board may be there tomorrow.

    :param board: the board.
    """
    names = [board.identity] if board.confirmed and board.identity else []
    if board.virtual or not board.ambiguous or not names:
        names.append(board.hardware_identity)
    return tuple(dict.fromkeys(names))


def how_to_lift(board: str, bench: str | None) -> str:
    """Return the command that ends a quarantine.

    :param board: what the board is called.
    :param bench: control socket of its virtual bench; ``None``: it is attached to this host.
    """
    where = "" if bench is None else f" --bench virtual={bench}"
    return f"harness quarantine lift {board}{where}"


class Quarantines:
    """The quarantines of one directory of leases.

    :ivar unreadable: what was found by the last look and is no record, each with the reason.
    """

    def __init__(self, directory: Path) -> None:
        """Look at a directory.

        :param directory: the directory of the boards' leases.
        """
        self._directory = directory
        self.unreadable: list[str] = []

    @classmethod
    def of_bench(cls, bench: str | None) -> Quarantines:
        """Return those of a virtual bench, or of the host's boards.

        :param bench: control socket of the bench; ``None``: the boards attached to this host.
        :raises UsageError: there is no such directory, and it cannot be made.
        """
        return cls(place_of_bench(bench).directory)

    def put(
        self, board: Board, reason: str, *, now: datetime, lasts: timedelta | None, by: str
    ) -> Quarantine:
        """Keep a board from sessions.

        :param board: the board.
        :param reason: why, without secrets.
        :param now: the time.
        :param lasts: how long; ``None``: until somebody lifts it.
        :param by: who does it.
        :return: the quarantine; one that was there is replaced.
        :raises RigFault: it cannot be written.
        """
        quarantine = Quarantine(
            board=board.id,
            names=names_of(board),
            kind=board.kind,
            reason=reason,
            since=now,
            until=None if lasts is None else now + lasts,
            by=by,
        )
        with self._alone():
            for name in quarantine.names:
                self._write(self._file(name), encode_record(quarantine))
        return quarantine

    def of(self, board: Board, now: datetime) -> Quarantine | None:
        """Return the quarantine that a board is in; ``None`` when it is in none.

        :param board: the board.
        :param now: the time.
        """
        self.unreadable = []
        for name in names_of(board):
            quarantine = self._read(self._file(name))
            if quarantine is not None and not quarantine.is_over(now):
                return quarantine
        return None

    def all(self, now: datetime) -> list[Quarantine]:
        """Return all that there are, and take away the files of those that are over.

        :param now: the time.
        :raises RigFault: the directory cannot be looked at.
        """
        self.unreadable = []
        found = {file: self._read(file) for file in self._files()}
        over = [file for file, one in found.items() if one is not None and one.is_over(now)]
        if over:
            with suppress(RigFault):  # somebody else is at it
                self._take_away_those_that_are_over(over, now)
        there = {one.names: one for one in found.values() if one is not None and not one.is_over(now)}
        return sorted(there.values(), key=lambda one: one.board)

    def _take_away_those_that_are_over(self, files: list[Path], now: datetime) -> None:
        with self._alone():
            for file in files:
                one = self._read(file)  # again: somebody may have put the board there anew
                if one is not None and one.is_over(now):
                    with suppress(OSError):  # it is another user's, and of no effect
                        file.unlink()

    def lift(self, name: str, now: datetime) -> list[Quarantine]:
        """End the quarantine of a board.

        :param name: what it was called by whoever quarantined it, or who it is.
        :param now: the time.
        :return: those that were ended; none when there was none of that name.
        :raises RigFault: a file can neither be removed nor written.
        """
        self.unreadable = []
        wanted = shown(name)
        lifted: dict[tuple[str, ...], Quarantine] = {}
        with self._alone():
            for file in self._files():
                one = self._read(file)
                if one is not None and wanted in {one.board, *one.names}:
                    self._remove(file)
                    if not one.is_over(now):
                        lifted[one.names] = one
        return list(lifted.values())

    # -- files --------------------------------------------------------------------------------------------

    def _file(self, name: str) -> Path:
        readable = re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:64]
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return self._directory / f"{readable}-{digest}{SUFFIX}"

    def _files(self) -> list[Path]:
        try:
            return sorted(file for file in self._directory.iterdir() if file.name.endswith(SUFFIX))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RigFault(f"quarantines cannot be read: {self._directory}: {error.strerror}") from error

    def _read(self, file: Path) -> Quarantine | None:
        """Return what a file says; ``None`` for one that is not there, was lifted or cannot be read."""
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.unreadable.append(f"{file}: {error.strerror}")
            return None
        try:
            _refuse_special_file(descriptor)
            data = os.pread(descriptor, RECORD_SIZE, 0)
            return None if data == _LIFTED else decode_record(data)
        except (OSError, ValueError) as error:
            self.unreadable.append(f"{file}: {error}")
            return None
        finally:
            os.close(descriptor)

    def _write(self, file: Path, record: bytes) -> None:
        new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(new, flags, 0o600)
            try:
                os.fchmod(descriptor, FILE_MODE)
                os.write(descriptor, record)
            finally:
                os.close(descriptor)
            try:
                new.replace(file)
            except PermissionError:  # in a sticky directory another user's file stays: write into it
                new.unlink()
                _overwrite(file, record)
        except OSError as error:
            with suppress(OSError):
                new.unlink(missing_ok=True)
            raise RigFault(f"a quarantine cannot be written: {file}: {error.strerror or error}") from error

    def _remove(self, file: Path) -> None:
        try:
            file.unlink(missing_ok=True)
        except PermissionError:
            try:
                _overwrite(file, _LIFTED)
            except OSError as error:
                raise RigFault(f"a quarantine cannot be lifted: {file}: {error.strerror}") from error
        except OSError as error:
            raise RigFault(f"a quarantine cannot be lifted: {file}: {error.strerror}") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let nobody else change quarantines meanwhile.

        :raises RigFault: the lock cannot be had.
        """
        file = self._directory / LOCK_NAME
        try:
            descriptor = wait_for_lock(
                lambda: open_lock_file(file, FILE_MODE), time.monotonic() + _LOCK_SECONDS
            )
        except OSError as error:
            raise RigFault(f"quarantines cannot be changed: {file}: {error.strerror or error}") from error
        if descriptor is None:
            raise RigFault(
                f"quarantines cannot be changed: somebody has kept {file} locked for {_LOCK_SECONDS:g} s"
            )
        try:
            yield
        finally:
            os.close(descriptor)


def _overwrite(file: Path, record: bytes) -> None:
    """Replace a record of another user by one write."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        _refuse_special_file(descriptor)
        os.pwrite(descriptor, record, 0)
    finally:
        os.close(descriptor)


def _refuse_special_file(descriptor: int) -> None:
    """In a directory that everybody may write to, somebody may have put anything under this name."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError("it is no ordinary file")
