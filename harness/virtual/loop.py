"""The one event loop of the bench daemon: descriptors, timers and calls from other threads."""

from __future__ import annotations

import heapq
import itertools
import os
import select
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT

# A heap is rebuilt when more than half of it was called off, but not for a handful of timers.
_COMPACT_FROM = 64


class LoopTimer:
    """A call that the loop will make once; fulfils :class:`harness.virtual.contract.Timer`."""

    __slots__ = ("_loop", "callback", "due")

    def __init__(self, loop: Loop, due: float, callback: Callable[[], None]) -> None:
        """Describe a call.

        :param loop: the loop that counts the timers called off.
        :param due: when, on the monotonic clock.
        :param callback: what to call.
        """
        self._loop = loop
        self.due = due
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Call it off; nothing happens when it ran already. Safe from any thread."""
        if self.callback is not None:
            self.callback = None
            self._loop.note_cancelled()


class Loop:
    """An epoll loop.

    Only :meth:`call_soon`, :meth:`call_later` and :meth:`stop` may be called from other threads.
    """

    def __init__(self) -> None:
        """Open the epoll instance and the descriptor that wakes it."""
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._watched: dict[int, Callable[[int], None]] = {}
        self._soon: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, LoopTimer]] = []
        self._sequence = itertools.count()
        self._cancelled = 0
        self._stopping = False
        self._thread = threading.get_ident()
        # Events of this descriptor are handled before all others of the same round.
        self._first: int | None = None
        self._epoll.register(self._wake, READABLE)

    @property
    def on_loop_thread(self) -> bool:
        """Whether the caller runs on the loop's thread."""
        return threading.get_ident() == self._thread

    def watch(self, fd: int, events: int, callback: Callable[[int], None], *, first: bool = False) -> None:
        """Call back whenever a descriptor is ready; called again it changes the events.

        :param fd: the descriptor.
        :param events: ``READABLE``, ``WRITABLE`` or both; errors and hang-ups are always told.
        :param callback: called with the epoll events that came.
        :param first: handle this descriptor before all others that are ready in the same round.
        """
        if fd in self._watched:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._watched[fd] = callback
        if first:
            self._first = fd

    def unwatch(self, fd: int) -> None:
        """Forget a descriptor; nothing happens when it is not watched."""
        if self._watched.pop(fd, None) is not None:
            self._epoll.unregister(fd)
            if self._first == fd:
                self._first = None

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call on the loop's thread as soon as possible. Safe from any thread and from signal handlers."""
        self._soon.append(callback)
        os.eventfd_write(self._wake, 1)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> LoopTimer:
        """Call on the loop's thread after some seconds. Safe from any thread."""
        timer = LoopTimer(self, time.monotonic() + max(0.0, seconds), callback)
        if self.on_loop_thread:
            self._push(timer)
        else:
            self.call_soon(lambda: self._push(timer))
        return timer

    def _push(self, timer: LoopTimer) -> None:
        heapq.heappush(self._timers, (timer.due, next(self._sequence), timer))

    def note_cancelled(self) -> None:
        """Count a timer that was called off, so that the loop knows when to sweep."""
        self._cancelled += 1

    def stop(self) -> None:
        """Let :meth:`run` return after the current round. Safe from any thread and from signal handlers."""
        self._stopping = True
        os.eventfd_write(self._wake, 1)

    def run(self) -> None:
        """Serve until :meth:`stop`."""
        self._thread = threading.get_ident()
        while not self._stopping:
            self._run_round()

    def _run_round(self) -> None:
        ready = self._epoll.poll(self._seconds_to_next_timer())
        if self._first is not None and len(ready) > 1:
            first = self._first
            ready.sort(key=lambda event: event[0] != first)
        for fd, events in ready:
            if fd == self._wake:
                os.eventfd_read(self._wake)
                continue
            # A callback of this very round may have unwatched the descriptor.
            callback = self._watched.get(fd)
            if callback is not None:
                callback(events)
        for _ in range(len(self._soon)):
            self._soon.popleft()()
        self._run_due_timers()

    def _seconds_to_next_timer(self) -> float | None:
        if self._cancelled > _COMPACT_FROM and self._cancelled * 2 > len(self._timers):
            self._timers = [entry for entry in self._timers if entry[2].callback is not None]
            heapq.heapify(self._timers)
            self._cancelled = 0
        if self._soon:
            return 0.0
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    def _run_due_timers(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()

    def close(self) -> None:
        """Give back the loop's descriptors."""
        self._epoll.close()
        os.close(self._wake)
