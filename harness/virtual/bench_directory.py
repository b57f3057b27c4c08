"""The directory of a bench: links, socket and log; what of them is left when a bench died is swept."""

from __future__ import annotations

import fcntl
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.virtual import wire

if TYPE_CHECKING:
    from pathlib import Path


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
    with suppress(OSError):
        (directory / wire.SOCKET_NAME).unlink()
    leases = directory / wire.LEASES_NAME
    with suppress(OSError):
        for lease in leases.iterdir():  # of boards that went with the bench: nobody can hold one any more
            lease.unlink()
        leases.rmdir()


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


class BenchDirectory:
    """The directory of one bench: made if need be, locked, logged into, and removed at the end."""

    def __init__(self, path: Path) -> None:
        """Take the directory.

        :param path: where links, socket and log go.
        :raises UsageError: it cannot be used, or another bench uses it.
        """
        self.path = path
        self.ports = path / wire.PORTS_NAME
        self._log_path = path / wire.LOG_NAME
        self._made = [each for each in (path, *path.parents) if not each.exists()]
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise UsageError(
                f"cannot be used: {error.strerror}", key="--directory", value=str(path)
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise UsageError("another bench runs there", key="--directory", value=str(path)) from error
        sweep(path)
        self.ports.mkdir(mode=0o700, exist_ok=True)
        self._handler = logging.FileHandler(self._log_path, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logging.getLogger().addHandler(self._handler)

    def close(self) -> None:
        """Remove what we made; a directory that others put something into stays."""
        logging.getLogger().removeHandler(self._handler)
        self._handler.close()
        sweep(self.path)
        if self.path in self._made:
            self._log_path.unlink(missing_ok=True)
        for directory in self._made:
            with suppress(OSError):
                directory.rmdir()
        os.close(self._lock)
