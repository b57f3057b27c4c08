"""One inotify instance: tells what happens to files and in directories."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Numbers of <sys/inotify.h>.
CLOSE_WRITE = 0x008
CLOSE_NOWRITE = 0x010
OPEN = 0x020
CREATE = 0x100

_NONBLOCK = os.O_NONBLOCK
_CLOEXEC = os.O_CLOEXEC
_EVENT = struct.Struct("iIII")


class Inotify:
    """Watches any number of files and directories through one descriptor.

    :raises OSError: the host has no inotify instance left for this user.
    """

    def __init__(self) -> None:
        """Open the inotify instance."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = self._check(self._libc.inotify_init1(_NONBLOCK | _CLOEXEC))
        self._callbacks: dict[int, Callable[[int, str], None]] = {}

    @staticmethod
    def _check(result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result

    def add(self, path: str, events: int, callback: Callable[[int, str], None]) -> int:
        """Watch a file or a directory.

        :param path: which.
        :param events: the events to tell of.
        :param callback: called with the events that came and, in a directory, the name of the entry.
        :return: a handle for :meth:`remove`.
        :raises OSError: it cannot be watched.
        """
        handle = self._check(self._libc.inotify_add_watch(self.fd, os.fsencode(path), events))
        self._callbacks[handle] = callback
        return handle

    def remove(self, handle: int) -> None:
        """Stop watching; events that are already queued are forgotten."""
        if self._callbacks.pop(handle, None) is not None:
            # Fails only if the kernel removed the watch together with the file.
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
                position += _EVENT.size
                name = os.fsdecode(data[position : position + name_length].rstrip(b"\0"))
                position += name_length
                callback = self._callbacks.get(handle)
                if callback is not None:
                    callback(mask, name)

    def close(self) -> None:
        """Close the inotify instance."""
        self._callbacks.clear()
        os.close(self.fd)
