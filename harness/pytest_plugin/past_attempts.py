"""Attempts at tests, put together from the reports of their phases, as the history keeps them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.history.attempts import NO_KIND, Attempt, Outcome
from harness.pytest_plugin.report_records import FINAL_ATTRIBUTE, RERUN, TestFacts
from harness.pytest_plugin.unrun import UNRUN_ATTRIBUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from harness.pytest_plugin.report_records import BoardUsed

_CRASHED = "???"  # xdist's phase of a test whose worker died


@dataclass(slots=True)
class _Open:
    """An attempt that is not over."""

    started: float
    seconds: float = 0.0
    outcome: Outcome | None = None
    verdict: str = ""
    boards: list[BoardUsed] = field(default_factory=list)

    def add(self, report: pytest.TestReport) -> None:
        """Take one phase into account; the first failure is the one that counts."""
        if not hasattr(report, "context"):  # a subtest: its time is in that of its test
            self.seconds += report.duration
        facts = TestFacts.of(report)
        self.boards = facts.boards or self.boards
        if self.outcome == "failed":
            return
        if report.failed or report.outcome == RERUN:
            self.outcome, self.verdict = "failed", facts.verdict or ""
        elif report.skipped:
            self.outcome = "skipped"
        elif report.when == "call" and self.outcome is None:
            self.outcome = "passed"


class HeardAttempts:
    """Hears the reports of a session and tells when an attempt is over."""

    def __init__(
        self,
        session: str,
        project: str,
        *,
        clean: Callable[[str], str] = str,
        board_of: Callable[[pytest.TestReport], BoardUsed | None] = lambda _report: None,
    ) -> None:
        """Hear nothing yet.

        :param session: id of the run.
        :param project: what its tests belong to.
        :param clean: redaction.
        :param board_of: tells the board of a test that did not live to say it.
        """
        self._session = session
        self._project = project
        self._clean = clean
        self._board_of = board_of
        self._open: dict[str, _Open] = {}
        self._unrun: set[str] = set()
        self._numbers: Counter[str] = Counter()

    def begin(self, test: str, now: float) -> None:
        """A test begins; nothing is known of it yet."""
        self._open[test] = _Open(started=now)

    def add(self, report: pytest.TestReport) -> Attempt | None:
        """Hear of one phase of a test.

        :return: the attempt that is over with it.
        """
        test = report.nodeid
        if hasattr(report, FINAL_ATTRIBUTE):  # heard before, as one that was to be tried again
            return None
        if hasattr(report, UNRUN_ATTRIBUTE):  # it was never begun, so that nothing was tried
            self._unrun.add(test)
            self._open.pop(test, None)
            return None
        if test in self._unrun:
            self._unrun.discard(test)
            return None
        current = self._open.get(test)
        if current is None and report.when == "teardown":
            return None  # the rest of an attempt that is over
        if current is None or report.when == "setup":
            began = getattr(report, "start", 0.0) or (current.started if current else 0.0)
            current = self._open[test] = _Open(started=began)
        current.add(report)
        if report.when in {"teardown", _CRASHED} or report.outcome == RERUN:
            return self._close(report, self._open.pop(test))
        return None

    def _close(self, report: pytest.TestReport, over: _Open) -> Attempt | None:
        if over.outcome is None:  # a plugin took its call away, and nobody knows what it came to
            return None
        self._numbers[report.nodeid] += 1
        alone = self._board_of(report) if report.when == _CRASHED and not over.boards else None
        boards = over.boards or ([] if alone is None else [alone])
        return Attempt(
            session=self._session,
            project=self._project,
            test=self._clean(report.nodeid),
            kind=boards[0].kind if boards else NO_KIND,
            board=boards[0].id if boards else "",
            others=tuple(board.id for board in boards[1:]),
            outcome=over.outcome,
            verdict=over.verdict,
            seconds=over.seconds,
            attempt=self._numbers[report.nodeid],
            started=over.started,
        )
