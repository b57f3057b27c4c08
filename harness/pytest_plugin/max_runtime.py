"""``--max-runtime``: when the time of a session is over, what runs ends and nothing more begins."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

import pytest

from harness.pytest_plugin.state import NOT_RUN_REASON_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from harness.pytest_plugin.state import ActiveSession


class Endable(Protocol):
    """What hands out the tests: the scheduler of xdist, or the loop of the one process."""

    def end(self) -> None:
        """Hand out nothing more."""


class MaxRuntime:
    """Counts the seconds from the first test's start."""

    def __init__(
        self,
        config: pytest.Config,
        session: ActiveSession,
        seconds: float,
        *,
        course: Endable,
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        """Count nothing yet.

        :param config: of the process that the user started.
        :param session: the session.
        :param seconds: after which nothing more is begun.
        :param course: hands out the tests.
        :param post: has something done in the main thread.
        """
        self._config = config
        self._session = session
        self._seconds = seconds
        self._course = course
        self._post = post
        self._timer: threading.Timer | None = None

    def pytest_runtest_logstart(self) -> None:
        """The first test begins, here or in a worker."""
        if self._timer is None:
            self._timer = threading.Timer(self._seconds, self._post, [self._end])
            self._timer.daemon = True
            self._timer.start()

    def _end(self) -> None:
        reason = f"--max-runtime {self._seconds:g} s is over"
        self._config.stash[NOT_RUN_REASON_KEY] = reason
        line = f"{time.strftime('%H:%M:%S')} {reason}: nothing more is begun"
        self._session.story.append(line)
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(f"harness: {line}", yellow=True)
        self._course.end()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Count no longer when the tests are over."""
        try:
            return (yield)
        finally:
            if self._timer is not None:
                self._timer.cancel()
                self._timer.join()
