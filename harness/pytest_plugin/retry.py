"""``--rig-retries``: a test that failed by the rig is run again, on another board.

In the process that the user started :class:`Retries` looks at each report before anybody else does. A
failure that is going to be tried again becomes a ``rerun``, as pytest-rerunfailures calls it: no plugin
counts it, and the accounts show it. What hands out the tests asks at the end of each try whether another one
follows.

A worker knows nothing of other boards, so whether such a failure ends the session is not its to decide
(:class:`StoppingLeftToController`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest

from harness.pytest_plugin.report_records import FINAL_ATTRIBUTE, RERUN, TestFacts, add_section
from harness.pytest_plugin.retry_decision import RetryDecision
from harness.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

#: On a report that became a ``rerun`` by us: whether it is the first of its try.
RETRIED_ATTRIBUTE: Final = "harness_retried"
#: What the terminal counts it as.
CATEGORY: Final = "retried"


class Course(Protocol):
    """What hands out the tests: the scheduler of xdist, or the loop of the one process."""

    def may_run_elsewhere(self, test: str, board: str) -> bool:
        """Tell whether a test could be run without a board."""


class Retries:
    """Decides which failures are tried again, and says so."""

    def __init__(
        self, limit: int, course: Course, *, stop: Callable[[str], None] = lambda _reason: None
    ) -> None:
        """Nothing has failed yet.

        :param limit: how often a test may be tried again.
        :param course: hands out the tests.
        :param stop: ends a session with workers, which does not look at what pytest's own session says.
        """
        self._limit = limit
        self._decision = RetryDecision(limit)
        self._course = course
        self._stop = stop
        self._first: dict[str, pytest.TestReport] = {}
        self._session: pytest.Session

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Know where pytest says that the session is to end."""
        self._session = session

    def pytest_report_header(self) -> str:
        """Say it before anything is run."""
        times = "once" if self._limit == 1 else f"up to {self._limit} times"
        return f"harness: a test that fails by the rig is run again {times}, on another board (--rig-retries)"

    def end(self, test: str) -> str | None:
        """A try is over; return the board on which it failed if another one follows, on any but that."""
        first = self._first.pop(test, None)
        if not self._decision.end(test) or first is None:
            return None
        return _board_to_avoid(TestFacts.of(first))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, object, object]:
        """Let nobody count a failure that is tried again."""
        if not hasattr(report, FINAL_ATTRIBUTE):
            self._judge(report)
        result = yield
        if self._session.shouldstop:
            self._stop(str(self._session.shouldstop))
        return result

    def _judge(self, report: pytest.TestReport) -> None:
        test = report.nodeid
        if report.when == "setup":
            self._first.pop(test, None)
            self._decision.begin(test)
        if not report.failed:
            return
        facts = TestFacts.of(report)
        first = self._first.get(test)
        again = self._decision.is_tried_again(
            test,
            phase=str(report.when),
            verdict=facts.verdict,
            elsewhere=lambda: (
                bool(facts.boards) and self._course.may_run_elsewhere(test, _board_to_avoid(facts))
            ),
        )
        if again:
            report.outcome = RERUN  # type: ignore[assignment]  # as pytest-rerunfailures does
            setattr(report, RETRIED_ATTRIBUTE, first is None)
            self._first.setdefault(test, report)
        elif first is not None:
            add_section(report, "before that", str(first.longrepr))
            self._do_not_count(self._first.pop(test))

    def _do_not_count(self, first: pytest.TestReport) -> None:
        """Take out of the terminal's last line what was shown as tried again, and is not after all."""
        reporter = self._session.config.pluginmanager.get_plugin("terminalreporter")
        shown = [] if reporter is None else reporter.stats.get(CATEGORY, [])
        if first in shown:
            shown.remove(first)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport | pytest.CollectReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]] | str] | None:
        """Show a try that is followed by another one, once."""
        first = getattr(report, RETRIED_ATTRIBUTE, None)
        if first is None or report.outcome != RERUN:
            return None
        return (CATEGORY, "R", ("RETRIED", {"yellow": True})) if first else ("", "", "")


def _board_to_avoid(facts: TestFacts) -> str:
    """Return the board by whose fault a test failed; of several that may all be well, the first."""
    return facts.faulty or facts.boards[0].id


class StoppingLeftToController:
    """In a worker: a failure by the rig does not end the session, for it may be tried again elsewhere.

    The controller counts it, for ``-x``, ``--maxfail`` and ``--stepwise``, if it is not.
    """

    def __init__(self) -> None:
        """Wait for the session."""
        self._session: Any = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Know whom the other plugins tell to stop."""
        self._session = session

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Iterator[None]:
        """Undo what pytest concludes from a failure by the rig."""
        session = self._session
        before = session.testsfailed, session._shouldfail, session._shouldstop
        result = yield
        if report.failed and TestFacts.of(report).verdict == str(Verdict.RIG):
            # Its properties cannot be unset, with a warning; nobody has acted on them yet.
            session.testsfailed, session._shouldfail, session._shouldstop = before
        return result


def make_fresh(item: Any) -> None:
    """Let a test that ran in this process begin anew: its instance, and fixtures that could not be made.

    pytest keeps both for the life of an item, which it runs once.
    """
    if getattr(item, "_instance", None) is not None:
        del item._instance
        item._obj = None
    definitions = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    for definition in (each for several in definitions.values() for each in several):
        if definition.cached_result is not None and definition.cached_result[2] is not None:
            definition.cached_result = None
            definition._finalizers.clear()
