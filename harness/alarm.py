"""Interrupting the main thread when a time is over, wherever it waits."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

# Should a broad ``except`` in the body swallow the first one, others follow.
_SECONDS_BETWEEN_REMINDERS = 10.0
# What is over already interrupts at once; a timer of 0 seconds would never go off.
_AT_ONCE = 0.001
# Who nests one alarm in another reads two clocks: so much too early is in time.
_TOLERANCE = 0.01


@contextmanager
def interrupted_after(seconds: float, make_error: Callable[[], BaseException]) -> Iterator[None]:
    """Raise an error in the middle of the body when the time is over.

    Only the main thread can be interrupted; elsewhere the body runs without a limit. There is one alarm in a
    process: whoever set it before, another one of these or pytest-timeout, is woken when their time comes.

    :param seconds: time allowed; less than none is none.
    :param make_error: makes what is raised.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outer = _Outer()
    due = time.monotonic() + max(seconds, _AT_ONCE)
    over = False

    def strike(number: int, frame: FrameType | None) -> None:
        nonlocal due
        if over:
            return
        if outer.is_due:
            try:
                outer.strike(number, frame)
            finally:
                set_alarm()
        elif time.monotonic() < due - _TOLERANCE:
            set_alarm()
        else:
            due = time.monotonic() + _SECONDS_BETWEEN_REMINDERS
            set_alarm()
            raise make_error()

    def set_alarm() -> None:
        next_one = due if outer.due is None else min(due, outer.due)
        left = max(next_one - time.monotonic(), _AT_ONCE)
        signal.setitimer(signal.ITIMER_REAL, left, _SECONDS_BETWEEN_REMINDERS)

    # It may strike anywhere, also before the body and behind it: our alarm is never left behind, or it would
    # interrupt whoever comes next.
    try:
        try:
            signal.signal(signal.SIGALRM, strike)
            set_alarm()
            yield
        finally:
            over = True
    finally:
        outer.restore()


class _Outer:
    """The alarm that was set before ours.

    :ivar due: when it goes off; ``None`` when it does not.
    """

    def __init__(self) -> None:
        """Take it down."""
        left, self._interval = signal.setitimer(signal.ITIMER_REAL, 0)
        self._handler = signal.getsignal(signal.SIGALRM)
        self.due = time.monotonic() + left if left else None

    @property
    def is_due(self) -> bool:
        """Whether its time has come."""
        return self.due is not None and time.monotonic() >= self.due

    def strike(self, number: int, frame: FrameType | None) -> None:
        """Do what it would do."""
        self.due = time.monotonic() + self._interval if self._interval else None
        if callable(self._handler):
            self._handler(number, frame)

    def restore(self) -> None:
        """Set it again, for what is left of its time."""
        signal.setitimer(signal.ITIMER_REAL, 0)  # or it might go off in between, for a handler not meant
        signal.signal(signal.SIGALRM, self._handler)
        if self.due is not None:
            left = max(self.due - time.monotonic(), _AT_ONCE)
            signal.setitimer(signal.ITIMER_REAL, left, self._interval)
