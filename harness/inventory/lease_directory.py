"""Where leases are: a directory that every user of the host shares, or the best that can be had instead.

The directory of hardware's leases is like ``/tmp``: everybody may make files in it and open those of
others, nobody may remove what is another's (mode 1777). Whether it is fit is judged by its mode and not
by what this user may do with it, so that the sessions of all users come to the same judgement; a session
that cannot use it falls back to a directory of its own user and says so.
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config import runtime_directory
from harness.errors import UsageError
from harness.virtual import wire

if TYPE_CHECKING:
    from harness.inventory.board import Board

LEASE_DIRECTORY_VARIABLE = "HARNESS_LEASE_DIR"
COMMON_DIRECTORY = Path("/run/lock/harness-leases")
FALLBACK_NAME = "leases"
SHARED_MODE = 0o1777
PRIVATE_MODE = 0o700


@dataclass(frozen=True, slots=True)
class LeasePlace:
    """The directory of leases.

    :ivar directory: the directory; it exists.
    :ivar warning: why sessions of other users may not see the leases in it; ``None`` when they do.
    """

    directory: Path
    warning: str | None = None


def lease_place(board: Board) -> LeasePlace:
    """Return where a board's lease is; see :func:`place_of_bench`.

    :param board: the board.
    :raises UsageError: a directory that is named, or the bench's, cannot be made or is none.
    """
    return place_of_bench(board.bench)


def place_of_bench(bench: str | None) -> LeasePlace:
    """Return where the leases of a bench's boards are; the directory is made if it does not exist.

    A virtual board's lease is beside the control socket of its bench, so that it goes when the bench
    goes; who may reach the bench may reach the leases. Hardware is leased in ``HARNESS_LEASE_DIR`` if
    that is set, else in the one directory of the host.

    :param bench: control socket of a virtual bench; ``None``: the boards attached to this host.
    :raises UsageError: a directory that is named, or the bench's, cannot be made or is none.
    """
    if bench is not None:
        # A link to the socket must not lead to leases of its own.
        return LeasePlace(_bench_leases(Path(bench).resolve().parent))
    named = os.environ.get(LEASE_DIRECTORY_VARIABLE)
    return _named_place(Path(named)) if named else common_place(COMMON_DIRECTORY)


def _bench_leases(bench: Path) -> Path:
    directory = bench / wire.LEASES_NAME
    try:
        directory.mkdir(mode=PRIVATE_MODE)
    except FileExistsError:
        pass  # what it is, is looked at next
    except OSError as error:
        raise UsageError(
            f"the directory for leases cannot be made: {error.strerror}", file=directory
        ) from error
    problem = _no_directory(directory)
    if problem is not None:
        raise UsageError(f"the directory for leases {problem}", file=directory)
    return directory


def _named_place(directory: Path) -> LeasePlace:
    try:
        make_shared(directory)
    except OSError as error:
        raise UsageError(
            f"the directory for leases cannot be made: {error.strerror}",
            file=directory,
            key=LEASE_DIRECTORY_VARIABLE,
        ) from error
    problem = _no_directory(directory)
    if problem is not None:
        raise UsageError(f"the directory for leases {problem}", file=directory, key=LEASE_DIRECTORY_VARIABLE)
    problem = unfit_for_all(directory)
    return LeasePlace(directory, None if problem is None else _warn(directory, problem, directory))


def common_place(directory: Path) -> LeasePlace:
    """Return the host's directory if it is fit for all users, else this user's own with a warning.

    :param directory: the host's directory.
    :raises UsageError: not even a directory of this user can be had.
    """
    try:
        make_shared(directory)
    except OSError as error:
        problem: str | None = f"cannot be made: {error.strerror}"
    else:
        problem = unfit_for_all(directory)
    if problem is None:
        return LeasePlace(directory)
    fallback = runtime_directory() / FALLBACK_NAME
    try:
        fallback.mkdir(mode=PRIVATE_MODE, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the directory for leases cannot be made: {error.strerror}", file=fallback
        ) from error
    return LeasePlace(fallback, _warn(directory, problem, fallback))


def _warn(directory: Path, problem: str, used: Path) -> str:
    return (
        f"leases are not shared by all users: {directory} {problem}; this session keeps its leases in {used},"
        " where sessions of other users do not look: they may use the same boards at the same time."
        f" To mend it: {mending_command(directory)}"
    )


def mending_command(directory: Path) -> str:
    """Return the command that makes the directory fit, for whoever may run it."""
    if _no_directory(directory) is None or not os.path.lexists(directory):
        return f"sudo install -d -o root -m {SHARED_MODE:o} {directory}"
    return f"sudo rm {directory} && sudo install -d -o root -m {SHARED_MODE:o} {directory}"


def make_shared(directory: Path) -> None:
    """Make the directory for all users unless something of its name exists.

    It appears with its final mode: a session of another user that looks in between would fall back.

    :param directory: the directory; its parent has to exist.
    :raises OSError: it cannot be made.
    """
    if os.path.lexists(directory):
        return
    new = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}")
    new.mkdir(mode=PRIVATE_MODE)
    try:
        new.chmod(SHARED_MODE)
        new.rename(directory)
    except OSError:
        new.rmdir()
        if not os.path.lexists(directory):
            raise


def _no_directory(directory: Path) -> str | None:
    """Say why something is no directory to put files into; ``None`` if it is one."""
    try:
        mode = directory.lstat().st_mode
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"
    if stat.S_ISLNK(mode):
        return "is a symbolic link"
    return None if stat.S_ISDIR(mode) else "is no directory"


def unfit_for_all(directory: Path) -> str | None:
    """Say why users of the host cannot share leases in a directory; ``None`` if they can.

    :param directory: the directory.
    """
    problem = _no_directory(directory)
    if problem is not None:
        return problem
    mode = stat.S_IMODE(directory.lstat().st_mode)
    if mode & SHARED_MODE != SHARED_MODE:
        return f"has mode {mode:04o} instead of {SHARED_MODE:o}"
    return None if os.access(directory, os.W_OK | os.X_OK) else "cannot be written to"
