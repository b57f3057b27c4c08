"""Files and directories of the stores: the right mode and group before the first byte, whole or not at all.

Files of the user store are for their owner only, those of the team store for its group too (pelion fact
sheet, section 5.3; MBL CLI writes all of them for everybody, section 1.4).
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import RigFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: How long another process may hold a store.
LOCK_SECONDS = 10.0
#: What the names of unfinished files and directories begin with.
UNFINISHED = ".unfinished."

_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.1


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may use what is made.

    :ivar directory: mode of directories.
    :ivar file: mode of files.
    :ivar group: number of the group, or ``None`` for whatever the system gives.
    """

    directory: int
    file: int
    group: int | None = None

    @classmethod
    def private(cls) -> Rights:
        """Return the rights of the user store: nobody else's."""
        return cls(directory=0o700, file=0o600)

    @classmethod
    def of_team(cls, store: Path) -> Rights:
        """Return the rights of a team store: the group of its directory reads.

        :param store: the store's directory; one that is not there yet gets the usual group.
        """
        try:
            group = store.stat().st_gid
        except FileNotFoundError:
            return cls(directory=0o750, file=0o640)
        return cls(directory=0o750, file=0o640, group=group)


def make_directory(path: Path, rights: Rights) -> None:
    """Make a directory that nobody else sees before it has its rights.

    :raises FileExistsError: it is there.
    :raises OSError: it cannot be made.
    :raises UsageError: its group is none of ours.
    """
    path.mkdir(mode=0o700)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _give(descriptor, rights.directory, rights.group, path)
    except BaseException:
        with suppress(OSError):
            path.rmdir()
        raise
    finally:
        os.close(descriptor)


def write_new(path: Path, content: bytes, rights: Rights) -> bool:
    """Write a file that is not there yet, whole or not at all.

    :return: whether it was written; ``False`` when there is one already.
    :raises UsageError: it cannot be written.
    """
    with _unfinished(path, content, rights) as unfinished:
        try:
            path.hardlink_to(unfinished)  # unlike a rename it never replaces what came meanwhile
        except FileExistsError:
            return False
    return True


def replace_file(path: Path, content: bytes, rights: Rights) -> None:
    """Write a file in the place of the one that is there, whole or not at all.

    :raises UsageError: it cannot be written.
    """
    with _unfinished(path, content, rights) as unfinished:
        unfinished.replace(path)


def write_into(path: Path, content: bytes, rights: Rights) -> None:
    """Write a file of a directory that nobody else looks at yet.

    :raises OSError: it cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        _give(descriptor, rights.file, rights.group, path)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


@contextmanager
def locked(directory: Path, *, alone: bool) -> Iterator[None]:
    """Hold a store's directory for the length of the block, so that nobody reads what is half changed.

    :param alone: to change something; otherwise others may read too.
    :raises RigFault: others hold it for too long.
    :raises OSError: there is no such directory, or we may not read it.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        deadline, pause = time.monotonic() + LOCK_SECONDS, _FIRST_PAUSE
        while True:
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise RigFault(f"{directory}: others use this store for {LOCK_SECONDS:g} s") from error
            threading.Event().wait(pause)  # a lock of a file tells nobody when it is free
            pause = min(2 * pause, _LONGEST_PAUSE)
        yield
    finally:
        os.close(descriptor)


def is_file(path: Path) -> bool:
    """Tell whether there is a file; a path that the system refuses, as one too long, leads to none."""
    try:
        return path.is_file()
    except OSError:
        return False


def beside(path: Path) -> Path:
    """Return a hidden name next to a path, for what is not finished."""
    return path.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")


@contextmanager
def _unfinished(path: Path, content: bytes, rights: Rights) -> Iterator[Path]:
    unfinished = beside(path)
    try:
        try:
            write_into(unfinished, content, rights)
            yield unfinished
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", file=path) from error


def _give(descriptor: int, mode: int, group: int | None, path: Path) -> None:
    """Give something its group, and only then its mode: never a right to a wrong group.

    A directory that hands its group on to what is made in it stays so.
    """
    before = os.fstat(descriptor)
    if group is not None and before.st_gid != group:
        try:
            os.fchown(descriptor, -1, group)
        except PermissionError as error:
            raise UsageError(
                f"its directory belongs to group {group}, of which you are no member",
                file=path,
                expected="a team store of a group of yours",
            ) from error
    hands_on = before.st_mode & stat.S_ISGID if stat.S_ISDIR(before.st_mode) else 0
    os.fchmod(descriptor, mode | hands_on)
