"""Interrupting the main thread when a time is over, wherever it waits."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

# Should a broad ``except`` in the body swallow the first one, others follow.
_SECONDS_BETWEEN_REMINDERS = 10.0
# What is over already interrupts at once; a timer of 0 seconds would never go off.
_AT_ONCE = 0.001


@contextmanager
def interrupted_after(seconds: float, make_error: Callable[[], BaseException]) -> Iterator[None]:
    """Raise an error in the middle of the body when the time is over.

    Only the main thread can be interrupted; elsewhere the body runs without a limit.

    :param seconds: time allowed; less than none is none.
    :param make_error: makes what is raised.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise make_error()

    handler = signal.signal(signal.SIGALRM, interrupt)
    timer = signal.setitimer(signal.ITIMER_REAL, max(seconds, _AT_ONCE), _SECONDS_BETWEEN_REMINDERS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)
