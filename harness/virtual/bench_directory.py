"""The directory of a bench: links, socket and log; what of them is left when a bench died is swept."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
import stat
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.virtual import wire
from harness.virtual.access import PRIVATE

if TYPE_CHECKING:
    from harness.virtual.access import BenchAccess

# A USB lab is thousands of small files and links: in memory they are made many times faster than on a disk.
_MEMORY = Path("/dev/shm")  # noqa: S108 - in a directory of our own, whose name nobody can foretell
_LAB_PREFIX = "harness-usb-"
_READ_AND_ENTER = stat.S_IROTH | stat.S_IXOTH


def sweep(directory: Path) -> None:
    """Remove links, socket and leases of a bench that is no more; the caller holds the directory's lock.

    :param directory: the bench's directory.
    """
    ports = directory / wire.PORTS_NAME
    with suppress(OSError):
        for link in ports.iterdir():
            if link.is_symlink():
                link.unlink()
        ports.rmdir()
    _sweep_lab(directory / wire.USB_NAME)
    with suppress(OSError):
        (directory / wire.SOCKET_NAME).unlink()
    leases = directory / wire.LEASES_NAME
    with suppress(OSError):
        if leases.is_symlink():
            leases.unlink()
        for lease in leases.iterdir():  # of boards that went with the bench: nobody can hold one any more
            lease.unlink()
        leases.rmdir()


def _sweep_lab(place: Path) -> None:
    with suppress(OSError):
        if not place.is_symlink():
            shutil.rmtree(place)
            return
        root = place.readlink()
        if root.parent == _MEMORY and root.name.startswith(_LAB_PREFIX):
            shutil.rmtree(root, ignore_errors=True)
        place.unlink()


def sweep_abandoned(directory: Path) -> None:
    """Remove what a bench that died left behind, unless another bench lives there now.

    :param directory: the bench's directory; nothing happens when it is gone.
    """
    try:
        lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        sweep(directory)
    finally:
        os.close(lock)


def _refuse_hidden(path: Path) -> None:
    """Refuse a place that other users cannot reach.

    :raises UsageError: it, or a directory on the way to it, is closed to them.
    """
    for directory in (path.resolve(), *path.resolve().parents):
        mode = directory.stat().st_mode
        needed = _READ_AND_ENTER if directory == path.resolve() else stat.S_IXOTH
        if mode & needed != needed:
            raise UsageError(
                f"a shared bench cannot be there: {directory} is closed to other users"
                f" (mode {stat.S_IMODE(mode):04o})",
                key="--directory",
                value=str(path),
                expected=f"a directory that everybody reaches, for example below {tempfile.gettempdir()}",
            )


class BenchDirectory:
    """The directory of one bench: made if need be, locked, logged into, and removed at the end."""

    def __init__(self, path: Path, access: BenchAccess = PRIVATE) -> None:
        """Take the directory.

        :param path: where links, socket and log go.
        :param access: who is to reach what is in it; the log is the bench's user's alone.
        :raises UsageError: it cannot be used, another bench uses it, or users who may use the bench could
            not reach it.
        """
        self.path = path
        self.ports = path / wire.PORTS_NAME
        self._log_path = path / wire.LOG_NAME
        self._made = [each for each in (path, *path.parents) if not each.exists()]
        self._lock = self._take(access)
        sweep(path)
        self.ports.mkdir(mode=PRIVATE.directory, exist_ok=True)
        self.ports.chmod(access.directory)
        leases = path / wire.LEASES_NAME
        leases.mkdir(mode=PRIVATE.directory, exist_ok=True)
        leases.chmod(access.leases)
        self._handler = logging.FileHandler(self._log_path, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logging.getLogger().addHandler(self._handler)

    def _take(self, access: BenchAccess) -> int:
        with ExitStack() as undo:
            undo.callback(self._remove_made)
            try:
                for directory in reversed(self._made):
                    directory.mkdir(mode=PRIVATE.directory, exist_ok=True)
                    directory.chmod(access.directory)
                lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError as error:
                raise UsageError(
                    f"cannot be used: {error.strerror}", key="--directory", value=str(self.path)
                ) from error
            undo.callback(os.close, lock)
            if access.shared:
                _refuse_hidden(self.path)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(
                    "another bench runs there", key="--directory", value=str(self.path)
                ) from error
            undo.pop_all()
        return lock

    def make_lab_root(self) -> Path:
        """Make an empty directory for a USB lab: in memory, and a link to it; or here, where there is none.

        :raises UsageError: neither can be made.
        """
        place = self.path / wire.USB_NAME
        root = _MEMORY / f"{_LAB_PREFIX}{secrets.token_hex(8)}"
        try:
            # The link first: who finds it sweeps what it leads to.
            place.symlink_to(root)
            try:
                root.mkdir(mode=PRIVATE.directory)
            except OSError:
                place.unlink()
                place.mkdir(mode=PRIVATE.directory)
                return place
        except OSError as error:
            raise UsageError(
                f"has no room for a USB lab: {error.strerror}", key="--directory", value=str(self.path)
            ) from error
        return root

    def _remove_made(self) -> None:
        for directory in self._made:
            with suppress(OSError):
                directory.rmdir()

    def close(self) -> None:
        """Remove what we made; a directory that others put something into stays."""
        logging.getLogger().removeHandler(self._handler)
        self._handler.close()
        sweep(self.path)
        if self.path in self._made:
            self._log_path.unlink(missing_ok=True)
        self._remove_made()
        os.close(self._lock)
