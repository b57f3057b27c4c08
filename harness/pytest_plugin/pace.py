"""How long the tests of a session took from the first start to the last end, beside what nobody can beat."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from harness.pytest_plugin.report_records import FINAL_ATTRIBUTE
from harness.pytest_plugin.unrun import UNRUN_ATTRIBUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.pytest_plugin.state import ActiveSession
    from harness.scheduling.work import Work


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a session was.

    :ivar seconds: from the first start to the last end.
    :ivar bound: what no order of the same tests on the same boards could have gone below; ``None`` where one
        process ran them all, one after the other.
    """

    seconds: float
    bound: float | None = None

    def __str__(self) -> str:
        """Say it in one line."""
        text = f"first start to last end {self.seconds:.1f} s"
        return f"{text}, {self.seconds / self.bound:.2f} x the bound" if self.bound else text


class Stopwatch:
    """Takes the times of all tests."""

    def __init__(self, session: ActiveSession, work: Callable[[], Mapping[str, Work]] | None = None) -> None:
        """Nothing was run yet.

        :param work: returns each test, by id, as the scheduler of workers knows it.
        """
        self._session = session
        self._work = work
        self._first = float("inf")
        self._last = 0.0
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the time of a phase; a test that was tried twice took both."""
        start, stop = getattr(report, "start", 0.0), getattr(report, "stop", 0.0)
        told_before = hasattr(report, FINAL_ATTRIBUTE)
        if not start or told_before or hasattr(report, UNRUN_ATTRIBUTE):  # nobody knows, or nothing was run
            return
        self._first = min(self._first, start)
        self._last = max(self._last, stop)
        if not hasattr(report, "context"):  # a subtest: its time is in that of its test
            self._seconds[report.nodeid] += report.duration

    def read(self) -> Pace | None:
        """Return the pace; ``None`` when nothing was run."""
        if not self._seconds:
            return None
        return Pace(self._last - self._first, self._bound())

    def _bound(self) -> float | None:
        work = {} if self._work is None else self._work()
        ran = [replace(work[test], seconds=took) for test, took in self._seconds.items() if test in work]
        if not ran:
            return None
        from harness.scheduling.bound import lower_bound

        return lower_bound(ran, {board.id: board.kind for board in self._session.boards})


def time_the_tests(
    config: pytest.Config, session: ActiveSession, work: Callable[[], Mapping[str, Work]] | None = None
) -> None:
    """Take the times of a session's tests.

    :param work: returns each test, by id, as the scheduler of workers knows it.
    """
    stopwatch = config.stash[STOPWATCH_KEY] = Stopwatch(session, work)
    config.pluginmanager.register(stopwatch, "harness-stopwatch")


STOPWATCH_KEY = pytest.StashKey[Stopwatch]()
"""On ``config`` of the process that the user started."""


def pace_of(config: pytest.Config) -> Pace | None:
    """Return how fast a session was; ``None`` when nothing was run."""
    stopwatch = config.stash.get(STOPWATCH_KEY, None)
    return None if stopwatch is None else stopwatch.read()
