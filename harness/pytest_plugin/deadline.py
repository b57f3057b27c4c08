"""The default deadline of a test: it is interrupted in the main thread, wherever it waits."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.alarm import interrupted_after
from harness.errors import TestDeadline

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        if not self._seconds:
            yield
            return
        with interrupted_after(self._end - time.monotonic(), lambda: self._error(phase)):
            yield

    def _error(self, phase: str) -> TestDeadline:
        return TestDeadline(
            f"the test did not end within {self._seconds:g} s; it was interrupted in its {phase}"
            " (--test-deadline, ini key harness_test_deadline)"
        )
