"""Open-file-description locks: they belong to one opening of a file and die with whoever opened it.

Such a lock (Linux, ``F_OFD_SETLK`` of fcntl(2)) is dropped by the kernel when its last descriptor is
closed, however its holder ended, and another opening in the same process is a rival like any other.
A child that is forked has the descriptor too and would keep the lock: see :func:`keep_from_children`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

# struct flock of 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid (0 for these locks) and padding.
_FLOCK = struct.Struct("@hhqqi4x")
_WHOLE_FILE = (os.SEEK_SET, 0, 0, 0)
# What file systems answer that cannot make a file before its name (open(2), O_TMPFILE).
_NO_NAMELESS_FILES = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL}
_not_for_children: set[int] = set()


def keep_from_children(descriptor: int) -> None:
    """Have a forked child close a descriptor at once: what it inherits would keep the lock after our end.

    A program that is started has no part in it anyway, the descriptor is closed on exec.

    :param descriptor: closed by :func:`close_lock` and by nobody else.
    """
    _not_for_children.add(descriptor)


def close_lock(descriptor: int) -> None:
    """Close a descriptor that was kept from children; its lock is free then."""
    _not_for_children.discard(descriptor)
    os.close(descriptor)


def _close_in_child() -> None:
    for descriptor in _not_for_children:
        with suppress(OSError):  # the fork came between the two steps of closing it
            os.close(descriptor)
    _not_for_children.clear()


os.register_at_fork(after_in_child=_close_in_child)


def open_lock_file(file: Path, mode: int = 0o600) -> int:
    """Open a lock file, made if it does not exist; the descriptor reaches no child process.

    A file that another user made in a sticky directory may be opened but not with ``O_CREAT``
    (``fs.protected_regular``), so opening and making are two steps.

    :param file: the file.
    :param mode: its permissions when it is made, whatever the umask says.
    :return: the descriptor.
    :raises OSError: it can neither be opened nor made.
    """
    # Without O_NONBLOCK a FIFO that somebody put there could keep us waiting.
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    while True:
        try:
            return os.open(file, flags)
        except FileNotFoundError:
            pass
        with suppress(FileExistsError):  # somebody was faster: open his
            return _make_lock_file(file, mode)


def _make_lock_file(file: Path, mode: int) -> int:
    """Make a file that appears with its final permissions: a rival of another user may open it at once."""
    try:
        descriptor = os.open(file.parent, os.O_RDWR | os.O_CLOEXEC | os.O_TMPFILE, mode)
    except OSError as error:
        if error.errno not in _NO_NAMELESS_FILES:
            raise
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_CREAT | os.O_EXCL
        descriptor = os.open(file, flags, mode)
        os.fchmod(descriptor, mode)
        return descriptor
    try:
        os.fchmod(descriptor, mode)
        # The descriptor of the directory is not used, the path is absolute; it has link(2) follow the link.
        os.link(f"/proc/self/fd/{descriptor}", file, src_dir_fd=descriptor, follow_symlinks=True)
    except BaseException:
        os.close(descriptor)
        raise
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


def share_lock(descriptor: int) -> None:
    """Take the lock together with others who share it.

    :param descriptor: of a file whose lock nobody takes for himself alone.
    """
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_RDLCK, *_WHOLE_FILE))


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


class FreedLocks:
    """Waits for the first of several locks to become free; takes none of them for longer than a moment.

    Each is waited for by a thread in the kernel. One that is given up stays behind until its lock is free,
    and then gives it back at once.
    """

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._change = threading.Condition()
        self._waiters: dict[str, threading.Thread] = {}
        self._freed = False
        self._error: OSError | None = None

    def watch(self, names: Iterable[str], open_file: Callable[[str], int]) -> None:
        """Wait for these locks, and for no others any more.

        :param names: what the locks are called; those that are waited for already go on being so.
        :param open_file: opens the lock file of a name.
        :raises OSError: as ``open_file`` raises it.
        """
        wanted = set(names)
        with self._change:
            self._waiters = {name: thread for name, thread in self._waiters.items() if name in wanted}
            missing = wanted - self._waiters.keys()
        for name in sorted(missing):
            descriptor = open_file(name)
            keep_from_children(descriptor)
            thread = threading.Thread(
                target=self._wait_in_kernel, args=(name, descriptor), name="lock-waiter", daemon=True
            )
            with self._change:
                self._waiters[name] = thread
            thread.start()

    def _wait_in_kernel(self, name: str, descriptor: int) -> None:
        error = None
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW, _FLOCK.pack(fcntl.F_WRLCK, *_WHOLE_FILE))
        except OSError as found:
            error = found
        # Given back before it is told: who is told tries to take it.
        close_lock(descriptor)
        with self._change:
            if self._waiters.get(name) is threading.current_thread():
                del self._waiters[name]
                self._freed = True
                self._error = self._error or error
                self._change.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait until one of the locks became free since it was asked last.

        :param seconds: how long at most.
        :return: whether one did; somebody else may have it by now.
        :raises OSError: a lock cannot be waited for.
        """
        with self._change:
            freed = self._change.wait_for(lambda: self._freed, max(0.0, seconds))
            self._freed = False
            if self._error is not None:
                raise self._error
        return freed

    def close(self) -> None:
        """Wait for none of them any more."""
        with self._change:
            self._waiters.clear()
