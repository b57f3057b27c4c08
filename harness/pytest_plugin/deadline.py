"""The default deadline of a test: it is interrupted in the main thread, wherever it waits."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.errors import TestDeadline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

# Should a broad ``except`` in the test swallow the first one, others follow.
_SECONDS_BETWEEN_REMINDERS = 10.0


class Deadline:
    """The time that one test has; set-up and call share it, tear-down begins anew."""

    def __init__(self, seconds: float) -> None:
        """Begin now.

        :param seconds: time allowed; 0 for no limit.
        """
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    @contextmanager
    def over(self, phase: str) -> Iterator[None]:
        """Interrupt the body when the time is over.

        :param phase: what the test is doing, for the message.
        :raises TestDeadline: in the middle of the body.
        """
        if not self._seconds or threading.current_thread() is not threading.main_thread():
            yield
            return

        def interrupt(_signal: int, _frame: FrameType | None) -> None:
            raise TestDeadline(
                f"the test did not end within {self._seconds:g} s; it was interrupted in its {phase}"
                " (--test-deadline, ini key harness_test_deadline)"
            )

        handler = signal.signal(signal.SIGALRM, interrupt)
        left = max(self._end - time.monotonic(), 0.001)
        timer = signal.setitimer(signal.ITIMER_REAL, left, _SECONDS_BETWEEN_REMINDERS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, *timer)
            signal.signal(signal.SIGALRM, handler)
