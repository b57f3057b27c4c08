"""Open-file-description locks: they belong to one opening of a file and die with whoever opened it.

Such a lock (Linux, ``F_OFD_SETLK`` of fcntl(2)) is dropped by the kernel when its last descriptor is
closed, however its holder ended, and another opening in the same process is a rival like any other.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# struct flock of 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid (0 for these locks) and padding.
_FLOCK = struct.Struct("@hhqqi4x")
_WHOLE_FILE = (os.SEEK_SET, 0, 0, 0)


def open_lock_file(file: Path, mode: int = 0o600) -> int:
    """Open a lock file, made if it does not exist; the descriptor reaches no child process.

    A file that another user made in a sticky directory may be opened but not with ``O_CREAT``
    (``fs.protected_regular``), so making and opening are two steps.

    :param file: the file.
    :param mode: its permissions when it is made, whatever the umask says.
    :return: the descriptor.
    :raises OSError: it can neither be opened nor made.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        try:
            return os.open(file, flags)
        except FileNotFoundError:
            pass
        try:
            descriptor = os.open(file, flags | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:  # somebody was faster: open his
            continue
        os.fchmod(descriptor, mode)
        return descriptor


def try_lock(descriptor: int) -> bool:
    """Take the lock if nobody holds it.

    :return: whether it is ours now.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, *_WHOLE_FILE))
    except BlockingIOError:
        return False
    return True


def is_locked(descriptor: int) -> bool:
    """Tell whether another opening of the file holds the lock; takes nothing."""
    answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_WRLCK, *_WHOLE_FILE))
    kind: int = _FLOCK.unpack(answer)[0]
    return kind != fcntl.F_UNLCK


def wait_for_lock(open_file: Callable[[], int], deadline: float) -> int | None:
    """Wait until the lock is ours or the deadline passes.

    The kernel wakes a thread that waits in it. When the deadline passes first, that thread stays behind,
    and should the lock fall to it later it gives the lock back at once.

    :param open_file: opens the lock file; the descriptor is the thread's until the lock is taken.
    :param deadline: point in time of :func:`time.monotonic`.
    :return: the descriptor that holds the lock, or ``None``.
    """
    descriptor = open_file()
    if try_lock(descriptor):
        return descriptor
    if deadline <= time.monotonic():
        os.close(descriptor)
        return None
    waiter = _LockWaiter(descriptor)
    waiter.start()
    return waiter.result(deadline)


class _LockWaiter(threading.Thread):
    """Waits in the kernel for one lock."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(name="lock-waiter", daemon=True)
        self._descriptor = descriptor
        self._handover = threading.Condition()
        self._taken = False
        self._abandoned = False

    def run(self) -> None:
        fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLKW, _FLOCK.pack(fcntl.F_WRLCK, *_WHOLE_FILE))
        with self._handover:
            self._taken = True
            if self._abandoned:
                os.close(self._descriptor)
            self._handover.notify_all()

    def result(self, deadline: float) -> int | None:
        with self._handover:
            try:
                self._handover.wait_for(lambda: self._taken, max(0.0, deadline - time.monotonic()))
            finally:
                self._abandoned = not self._taken
        return self._descriptor if self._taken else None
