"""Tells when clients open and close ptys, by inotify.

A UART keeps nothing for a reader who comes later, a pty does (about 16 kB: testbed fact sheet, section 2).
With this the bench drops what nobody was there to read.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Numbers of <sys/inotify.h>.
_IN_CLOSE_WRITE = 0x008
_IN_CLOSE_NOWRITE = 0x010
_IN_OPEN = 0x020
_IN_NONBLOCK = os.O_NONBLOCK
_IN_CLOEXEC = os.O_CLOEXEC
_EVENT = struct.Struct("iIII")


class TtyWatch:
    """Watches any number of ttys through one inotify descriptor.

    :raises OSError: the host has no inotify instance left for this user.
    """

    def __init__(self) -> None:
        """Open the inotify instance."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = self._check(self._libc.inotify_init1(_IN_NONBLOCK | _IN_CLOEXEC))
        self._callbacks: dict[int, Callable[[bool], None]] = {}

    @staticmethod
    def _check(result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result

    def add(self, tty: str, callback: Callable[[bool], None]) -> int:
        """Watch a tty.

        :param tty: its device path.
        :param callback: called with ``True`` for each open and ``False`` for each close.
        :return: a handle for :meth:`remove`.
        :raises OSError: it cannot be watched.
        """
        mask = _IN_OPEN | _IN_CLOSE_WRITE | _IN_CLOSE_NOWRITE
        handle = self._check(self._libc.inotify_add_watch(self.fd, os.fsencode(tty), mask))
        self._callbacks[handle] = callback
        return handle

    def remove(self, handle: int) -> None:
        """Stop watching; events that are already queued are forgotten."""
        if self._callbacks.pop(handle, None) is not None:
            # Fails only if the kernel removed the watch together with the tty.
            self._libc.inotify_rm_watch(self.fd, handle)

    def dispatch(self) -> None:
        """Hand out every queued event."""
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    return
                raise
            position = 0
            while position < len(data):
                handle, mask, _, name_length = _EVENT.unpack_from(data, position)
                position += _EVENT.size + name_length
                callback = self._callbacks.get(handle)
                if callback is None:
                    continue
                if mask & _IN_OPEN:
                    callback(True)
                elif mask & (_IN_CLOSE_WRITE | _IN_CLOSE_NOWRITE):
                    callback(False)

    def close(self) -> None:
        """Close the inotify instance."""
        self._callbacks.clear()
        os.close(self.fd)
