"""One thread that reads every console on which nobody waits, so that nothing said is lost.

A descriptor is armed for one event at a time. Whoever waits on a console disarms it and reads by itself: that
saves a switch of threads a command (testbed fact sheet, section 11).
"""

from __future__ import annotations

import os
import select
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Events of a descriptor that the thread watches, and of one that somebody else reads.
ARMED, DISARMED = select.EPOLLIN | select.EPOLLONESHOT, 0


class Drain:
    """The thread, started with the first console and ended with the last."""

    def __init__(self) -> None:
        """Have nothing to read yet."""
        self._lock = threading.Lock()
        self._readers: dict[int, Callable[[], None]] = {}
        self._epoll: select.epoll | None = None
        self._wake = -1
        self._thread: threading.Thread | None = None

    def add(self, fd: int, read: Callable[[], None]) -> Callable[[int, int], None]:
        """Call ``read`` on the thread whenever the descriptor is readable and armed.

        :return: a function of descriptor and events that arms and disarms it, until it is removed.
        """
        with self._lock:
            if self._epoll is None:
                self._epoll = select.epoll()
                self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                self._epoll.register(self._wake, select.EPOLLIN)
                self._thread = threading.Thread(
                    target=self._run, args=(self._epoll, self._wake), name="console drain", daemon=True
                )
                self._thread.start()
            self._readers[fd] = read
            self._epoll.register(fd, ARMED)
            return self._epoll.modify

    def remove(self, fd: int) -> None:
        """Forget a descriptor, before it is closed; idempotent."""
        with self._lock:
            if self._readers.pop(fd, None) is None or self._epoll is None:
                return
            self._epoll.unregister(fd)
            if self._readers:
                return
            self._epoll = None
            os.eventfd_write(self._wake, 1)

    def _run(self, epoll: select.epoll, wake: int) -> None:
        with epoll:
            while True:
                for fd, _events in epoll.poll():
                    if fd == wake:
                        os.close(wake)
                        return
                    reader = self._readers.get(fd)
                    if reader is not None:
                        reader()


DRAIN = Drain()
