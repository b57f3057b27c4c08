"""Leases: exclusive use of a board by one session, on locks that die with their holder.

A lease is a lock on a file that is named after the board's identity. The file also says who holds it and
since when, readable without taking anything, and it is never unlinked: a path that came and went could be
locked twice. Where the files are: :mod:`harness.inventory.lease_directory`.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness.errors import LeaseBusy, RigFault
from harness.inventory.lease_directory import lease_place
from harness.inventory.lease_records import (
    RECORD_SIZE,
    Holder,
    decode_record,
    describe_ourselves,
    encode_record,
)
from harness.inventory.lease_waiting import Wait, describe_busy
from harness.inventory.locks import (
    FreedLocks,
    close_lock,
    is_locked,
    keep_from_children,
    open_lock_file,
    wait_for_lock,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from harness.inventory.board import Board

# Whoever reaches the directory may lock: who that is, the directory's mode says.
FILE_MODE = 0o666
CHOOSING_NAME = ".choosing.lock"
_CHOOSING_SECONDS = 10.0


def lease_directory(board: Board) -> Path:
    """Return the directory of a board's lease, made if it does not exist.

    :param board: the board.
    :raises UsageError: the directory cannot be made.
    """
    return lease_place(board).directory


def lease_file(board: Board) -> Path:
    """Return the file whose lock is the lease of a board.

    A readable name with a digest of the whole identity: identities may hold any character. It is the
    hardware's own identity, for another user's rig file may call the board by another name.
    """
    identity = board.hardware_identity
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", identity)[:64]
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    return lease_directory(board) / f"{readable}-{digest}.lease"


def holder(board: Board) -> Holder | None:
    """Tell who holds a board, by whatever name; takes nothing.

    :param board: the board.
    :return: its holder, or ``None`` if it is free.
    :raises RigFault: the lease file cannot be read.
    """
    return next(filter(None, map(_holder_by_name, reversed(board.known_as))), None)


def _holder_by_name(board: Board) -> Holder | None:
    file = lease_file(board)
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(board, file, "read", error) from error
    try:
        _refuse_special_files(descriptor)
        return decode_record(os.pread(descriptor, RECORD_SIZE, 0)) if is_locked(descriptor) else None
    except OSError as error:
        raise _unusable(board, file, "read", error) from error
    finally:
        os.close(descriptor)


def _open_lease_file(board: Board) -> int:
    file = lease_file(board)
    try:
        descriptor = open_lock_file(file, FILE_MODE)
    except OSError as error:
        raise _unusable(board, file, "opened", error) from error
    try:
        _refuse_special_files(descriptor)
    except OSError as error:
        os.close(descriptor)
        raise _unusable(board, file, "opened", error) from error
    return descriptor


def _open_one_of(boards: Mapping[str, Board], name: str) -> int:
    return _open_lease_file(boards[name])


def _refuse_special_files(descriptor: int) -> None:
    """In a directory that everybody may write to, somebody may have put anything under a lease's name."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is no ordinary file")
    if status.st_nlink > 1:
        raise OSError("it is another file's second name")


def _unusable(board: Board, file: Path, verb: str, error: OSError) -> RigFault:
    text = f"the lease of board {board.id} cannot be {verb}: {file}: {error.strerror or error}"
    if isinstance(error, PermissionError):
        with suppress(OSError):
            status = file.lstat()
            text += f" (owner: uid {status.st_uid}, mode {stat.S_IMODE(status.st_mode):04o})"
    return RigFault(f"{text}; 'harness doctor' says what to do")


class Lease:
    """A board that is ours until :meth:`release`, or until this process ends in any way.

    :ivar board: the board.
    :ivar file: the file whose lock it is.
    """

    def __init__(self, board: Board, session: str, *, deadline: float) -> None:
        """Take the lease of a board.

        :param board: the board.
        :param session: id of the session that takes it.
        :param deadline: seconds to wait while somebody else holds it.
        :raises LeaseBusy: somebody else still holds it then; the message says who.
        :raises RigFault: the lease file cannot be opened or written.
        """
        self.board = board
        self.file = lease_file(board)
        self._descriptor: int | None = None
        end = time.monotonic() + deadline
        try:
            descriptor = wait_for_lock(lambda: _open_lease_file(board), end)
            # The directory of a bench is swept when the bench ends; a lock on what was there binds nobody.
            while descriptor is not None and not _is_still_there(descriptor, lease_file(board)):
                os.close(descriptor)
                descriptor = wait_for_lock(lambda: _open_lease_file(board), end)
        except OSError as error:  # for example a file system without locks
            raise _unusable(board, lease_file(board), "locked", error) from error
        if descriptor is None:
            raise LeaseBusy(f"{describe_busy({board.id: holder(board)})}; waited {deadline:g} s")
        keep_from_children(descriptor)
        self._descriptor = descriptor
        self._record = describe_ourselves(session)
        try:
            os.pwrite(descriptor, encode_record(self._record), 0)
        except OSError as error:
            self.release()
            raise _unusable(board, lease_file(board), "written", error) from error

    def note_test(self, test: str | None) -> None:
        """Let others read which test the board is in; ``None``: in none.

        A record that cannot be written any more is of no harm: the lock is the lease.
        """
        if self._descriptor is not None and test != self._record.test:
            self._record = replace(self._record, test=test)
            with suppress(OSError):
                os.pwrite(self._descriptor, encode_record(self._record), 0)

    def release(self) -> None:
        """Give the board back; nothing happens when that was done already."""
        if self._descriptor is not None:
            close_lock(self._descriptor)
            self._descriptor = None


def _is_still_there(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.lstat())
    except FileNotFoundError:
        return False


def _in_silence(_line: str) -> None:
    """Say nothing while waiting."""


class Leases:
    """The leases of one session."""

    def __init__(self, session: str, *, tell: Callable[[str], None] = _in_silence) -> None:
        """Hold nothing yet.

        :param session: id of the session.
        :param tell: called with a line for the user when a wait begins, now and then, and when it ends.
        """
        self._session = session
        self._tell = tell
        self._held: dict[str, list[Lease]] = {}
        self._warnings: dict[str, None] = {}

    @property
    def boards(self) -> tuple[Board, ...]:
        """The boards held, in identity order."""
        return tuple(leases[-1].board for _, leases in sorted(self._held.items()))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why other users' sessions may not see these leases; shown once to the user."""
        return tuple(self._warnings)

    def take(self, boards: Iterable[Board], *, deadline: float) -> None:
        """Take several boards: all of them, or none.

        :param boards: the boards.
        :param deadline: seconds to wait for all of them together.
        :raises LeaseBusy: one is held by somebody else when the deadline passes.
        """
        wanted = list(boards)
        self.take_some(wanted, lambda free: free if len(free) == len(wanted) else None, deadline=deadline)

    def take_some(
        self,
        candidates: Iterable[Board],
        choose: Callable[[Sequence[Board]], Sequence[Board] | None],
        *,
        deadline: float,
    ) -> None:
        """Take some of several boards as soon as enough of them are free.

        Who waits holds nothing, so that two sessions never wait for each other; and one session chooses
        at a time, so that two that begin together do not both find half of what they need.

        :param candidates: the boards that would do.
        :param choose: of those that are free, in identity order, returns the boards to take, or ``None``
            when they are not enough.
        :param deadline: seconds to wait.
        :raises LeaseBusy: not enough were free when the deadline passed; the message says who holds them.
        :raises RigFault: a lease cannot be used.
        """
        boards = {board.id: board for board in sorted(candidates, key=lambda board: board.id)}
        for board in boards.values():
            warning = lease_place(board).warning
            if warning is not None:
                self._warnings[warning] = None
        wait = Wait(deadline, self._tell)
        freed = FreedLocks()
        try:
            while (busy := self._try(list(boards.values()), choose)) is not None:
                if not busy:
                    raise RigFault(f"{len(boards)} boards are not enough, though all of them are free")
                if wait.left <= 0:
                    raise LeaseBusy(f"{describe_busy(_holders(busy))}; waited {deadline:g} s")
                names = {str(lease_file(each)): each for board in busy for each in board.known_as}
                freed.watch(names, partial(_open_one_of, names))
                wait.tell(_holders(busy))
                freed.wait(min(wait.left, wait.silence))
        except OSError as error:
            raise RigFault(f"the leases of {', '.join(boards)} cannot be waited for: {error}") from error
        finally:
            freed.close()
        wait.tell_end()

    def _try(
        self, boards: Sequence[Board], choose: Callable[[Sequence[Board]], Sequence[Board] | None]
    ) -> list[Board] | None:
        """Take what is needed if it is free now.

        :return: ``None`` when it was; else the boards that others hold.
        """
        busy: list[Board] = []
        free: dict[str, list[Lease]] = {}
        with ExitStack() as choosing:
            for directory in sorted({lease_directory(board) for board in boards}):
                choosing.callback(os.close, _begin_choosing(directory))
            choosing.callback(lambda: _release(lease for leases in free.values() for lease in leases))
            for board in boards:
                try:
                    free[board.id] = _take_every_name(board, self._session)
                except LeaseBusy:
                    busy.append(board)
                    continue
                chosen = choose([leases[-1].board for leases in free.values()])
                if chosen is not None:
                    self._held.update({one.id: free.pop(one.id) for one in chosen})
                    return None
        return busy

    def note_test(self, board_id: str, test: str | None) -> None:
        """Let others read which test a board is in.

        :param board_id: id of a board; nothing happens when it is not held.
        :param test: id of the test that begins on it; ``None``: it ended.
        """
        for lease in self._held.get(board_id, ()):
            lease.note_test(test)

    def confirm(self, known: Mapping[str, Board]) -> list[tuple[Board, str]]:
        """Know boards by what they said: what was leased by its place is leased by its identity too.

        :param known: what became of boards that are held, by the names by which they were taken.
        :return: those that another session knows already, each with the reason; they are given back.
        """
        held = {name: self._held.pop(name) for name in known if name in self._held}
        refused = []
        for name, leases in held.items():
            board = known[name]
            try:
                leases.extend(_take_every_name(board, self._session, but=[lease.file for lease in leases]))
            except LeaseBusy as busy:
                refused.append((board, str(busy)))
                _release(leases)
                continue
            leases[-1].board = board
            self._held[board.id] = leases
        return refused

    def release(self, board: Board) -> None:
        """Give one board back."""
        _release(self._held.pop(board.id, ()))

    def close(self) -> None:
        """Give every board back."""
        for board in self.boards:
            self.release(board)

    def __enter__(self) -> Self:
        """Return the leases themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give every board back."""
        self.close()


def _begin_choosing(directory: Path) -> int:
    """Let no other session choose among the boards of a directory until the descriptor is closed."""
    file = directory / CHOOSING_NAME
    try:
        descriptor = wait_for_lock(
            lambda: open_lock_file(file, FILE_MODE), time.monotonic() + _CHOOSING_SECONDS
        )
    except OSError as error:
        raise RigFault(
            f"no board can be leased: {file}: {error.strerror or error}; 'harness doctor' says what to do"
        ) from error
    if descriptor is None:
        raise RigFault(
            f"no board can be leased: another session has kept {file} locked for {_CHOOSING_SECONDS:g} s"
        )
    return descriptor


def _take_every_name(board: Board, session: str, but: Sequence[Path] = ()) -> list[Lease]:
    """Take a board now, under each name by which others may know it.

    :param but: files of leases that are held already.
    :return: the leases, that of the name that lasts at the end.
    :raises LeaseBusy: somebody else holds one of them.
    """
    wanted = {file: each for each in board.known_as if (file := lease_file(each)) not in but}
    taken: list[Lease] = []
    with ExitStack() as undo:
        undo.callback(_release, taken)
        for each in wanted.values():
            # A board of ours was there before: what is there now is ours as well.
            held = _holder_by_name(each) if each is not board else None
            if held is None or held.session != session:
                taken.append(Lease(each, session, deadline=0))
        undo.pop_all()
    return taken


def _release(leases: Iterable[Lease]) -> None:
    for lease in leases:
        lease.release()


def _holders(boards: Iterable[Board]) -> dict[str, Holder | None]:
    return {board.id: holder(board) for board in boards}
