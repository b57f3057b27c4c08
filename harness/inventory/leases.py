"""Leases: exclusive use of a board by one session, on locks that die with their holder.

A lease is a lock on a file that is named after the board's identity. The file also says who holds it and
since when, readable without taking anything, and it is never unlinked: a path that came and went could be
locked twice. Hardware is leased in a directory that all users of the host share; a virtual board beside
the control socket of its bench, so that its leases go when the bench goes.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import re
import socket
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import LeaseBusy, RigFault, UsageError
from harness.inventory.locks import is_locked, open_lock_file, wait_for_lock
from harness.virtual import wire

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from harness.inventory.board import Board

LEASE_DIRECTORY_VARIABLE = "HARNESS_LEASE_DIR"
RECORD_SIZE = 512  # one write of this size replaces the record whole, without truncating first


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a board.

    :ivar session: id of the session.
    :ivar since: when the lease was taken, ISO 8601 in UTC.
    """

    user: str
    pid: int
    host: str
    session: str
    since: str

    def __str__(self) -> str:
        """Say it for a person."""
        return f"session {self.session} of {self.user} (pid {self.pid} on {self.host}, since {self.since})"


def lease_directory(board: Board) -> Path:
    """Return the directory of a board's lease, made if it does not exist.

    ``HARNESS_LEASE_DIR`` if set; for hardware else ``/run/lock/harness-leases`` or, without a ``/run/lock``,
    a directory of the system's directory for temporary files.

    :param board: the board.
    :raises UsageError: the directory cannot be made.
    """
    named = os.environ.get(LEASE_DIRECTORY_VARIABLE)
    if board.bench is not None:
        return _make_directory(Path(board.bench).parent / wire.LEASES_NAME, shared=False)
    if named:
        return _make_directory(Path(named), shared=True)
    common = Path("/run/lock")
    parent = common if os.access(common, os.W_OK) else Path(tempfile.gettempdir())
    return _make_directory(parent / "harness-leases", shared=True)


def _make_directory(directory: Path, *, shared: bool) -> Path:
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        return directory
    except OSError as error:
        raise UsageError(
            f"the directory for leases cannot be made: {error.strerror}",
            file=directory,
            key=LEASE_DIRECTORY_VARIABLE,
        ) from error
    if shared:
        directory.chmod(0o1777)
    return directory


def lease_file(board: Board) -> Path:
    """Return the file whose lock is the lease of a board.

    A readable name with a digest of the whole identity: identities may hold any character.
    """
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", board.id)[:64]
    digest = hashlib.sha256(board.id.encode()).hexdigest()[:12]
    return lease_directory(board) / f"{readable}-{digest}.lease"


def holder(board: Board) -> Holder | None:
    """Tell who holds a board; takes nothing.

    :param board: the board.
    :return: its holder, or ``None`` if it is free.
    :raises RigFault: the lease file cannot be read.
    """
    file = lease_file(board)
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RigFault(f"the lease of board {board.id} cannot be read: {error}") from error
    try:
        return _read_record(descriptor) if is_locked(descriptor) else None
    finally:
        os.close(descriptor)


def _read_record(descriptor: int) -> Holder:
    try:
        return Holder(**json.loads(os.pread(descriptor, RECORD_SIZE, 0)))
    except (ValueError, TypeError):  # its holder has the lock and is about to write who he is
        return Holder(user="unknown", pid=0, host="unknown", session="unknown", since="this moment")


class Lease:
    """A board that is ours until :meth:`release`, or until this process ends in any way."""

    def __init__(self, board: Board, session: str, *, deadline: float) -> None:
        """Take the lease of a board.

        :param board: the board.
        :param session: id of the session that takes it.
        :param deadline: seconds to wait while somebody else holds it.
        :raises LeaseBusy: somebody else still holds it then; the message says who.
        :raises RigFault: the lease file cannot be opened.
        """
        self.board = board
        file = lease_file(board)

        def open_file() -> int:
            try:
                return open_lock_file(file, 0o600 if board.virtual else 0o666)
            except OSError as error:
                raise RigFault(f"the lease of board {board.id} cannot be opened: {error}") from error

        descriptor = wait_for_lock(open_file, time.monotonic() + deadline)
        if descriptor is None:
            other = holder(board)
            raise LeaseBusy(
                f"board {board.id} is leased by {other or 'somebody who let it go just now'};"
                f" waited {deadline:g} s for it"
            )
        self._descriptor: int | None = descriptor
        record = Holder(
            user=_user_name(),
            pid=os.getpid(),
            host=socket.gethostname(),
            session=session,
            since=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        os.pwrite(descriptor, json.dumps(asdict(record)).encode().ljust(RECORD_SIZE), 0)

    def release(self) -> None:
        """Give the board back; nothing happens when that was done already."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as containers have them
        return f"uid {os.getuid()}"


class Leases:
    """The leases of one session."""

    def __init__(self, session: str) -> None:
        """Hold nothing yet.

        :param session: id of the session.
        """
        self._session = session
        self._held: dict[str, Lease] = {}

    @property
    def boards(self) -> tuple[Board, ...]:
        """The boards held, in identity order."""
        return tuple(lease.board for _, lease in sorted(self._held.items()))

    def take(self, boards: Iterable[Board], *, deadline: float) -> None:
        """Take several boards in identity order: all of them, or none.

        The one order for everybody is what keeps two sessions from waiting for each other.

        :param boards: the boards.
        :param deadline: seconds to wait for all of them together.
        :raises LeaseBusy: one is held by somebody else when the deadline passes.
        """
        end = time.monotonic() + deadline
        with ExitStack() as undo:
            taken = {}
            for board in sorted(boards, key=lambda board: board.id):
                lease = Lease(board, self._session, deadline=max(0.0, end - time.monotonic()))
                undo.callback(lease.release)
                taken[board.id] = lease
            undo.pop_all()
        self._held.update(taken)

    def release(self, board: Board) -> None:
        """Give one board back."""
        lease = self._held.pop(board.id, None)
        if lease is not None:
            lease.release()

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
