"""Tells when clients open and close ptys, by inotify.

A UART keeps nothing for a reader who comes later, a pty does (about 16 kB: testbed fact sheet, section 2).
With this the bench drops what nobody was there to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.virtual.inotify import CLOSE_NOWRITE, CLOSE_WRITE, OPEN, Inotify

if TYPE_CHECKING:
    from collections.abc import Callable


class TtyWatch:
    """Watches any number of ttys through one inotify descriptor.

    :raises OSError: the host has no inotify instance left for this user.
    """

    def __init__(self) -> None:
        """Open the inotify instance."""
        self._inotify = Inotify()
        self.fd = self._inotify.fd

    def add(self, tty: str, callback: Callable[[bool], None]) -> int:
        """Watch a tty.

        :param tty: its device path.
        :param callback: called with ``True`` for each open and ``False`` for each close.
        :return: a handle for :meth:`remove`.
        :raises OSError: it cannot be watched.
        """

        def told(events: int, _name: str) -> None:
            if events & OPEN:
                callback(True)
            elif events & (CLOSE_WRITE | CLOSE_NOWRITE):
                callback(False)

        return self._inotify.add(tty, OPEN | CLOSE_WRITE | CLOSE_NOWRITE, told)

    def remove(self, handle: int) -> None:
        """Stop watching; events that are already queued are forgotten."""
        self._inotify.remove(handle)

    def dispatch(self) -> None:
        """Hand out every queued event."""
        self._inotify.dispatch()

    def close(self) -> None:
        """Close the inotify instance."""
        self._inotify.close()
