"""Reports of tests that were never begun: the controller tells of them what a worker would have told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from harness.pytest_plugin.report_records import UNWRITTEN_ATTRIBUTE, BoardUsed, TestFacts, add_section

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.inventory.board import Board
    from harness.verdicts import Verdict

#: On a report: the test was never begun.
UNRUN_ATTRIBUTE: Final = "harness_unrun"


class UnrunReports:
    """Reports tests that did not run as failed or as skipped, with the reason."""

    def __init__(
        self,
        config: pytest.Config,
        *,
        hardware: str,
        count: Callable[[pytest.TestReport], None] = lambda _report: None,
    ) -> None:
        """Report to the plugins of a session.

        :param config: the controller's.
        :param hardware: what reports call the boards' bench.
        :param count: takes each report that counts, for limits that the hooks alone do not reach.
        """
        self._config = config
        self._hardware = hardware
        self._count = count

    def fail(self, test: str, reason: str, verdict: Verdict, boards: Sequence[Board] = ()) -> None:
        """Report a test as failed.

        :param test: its id.
        :param boards: the boards that it was to run on.
        """
        facts = TestFacts(
            verdict=str(verdict),
            boards=[BoardUsed(id=board.id, kind=board.kind, bench=self._hardware) for board in boards],
        )
        report = self._report(test, "call", "failed", reason)
        add_section(report, "verdict", f"{verdict}: {verdict.meaning}")
        properties = [*facts.properties(), ("verdict", str(verdict))]
        self._tell(report, facts, properties)

    def skip(self, test: str, reason: str) -> None:
        """Report a test as skipped.

        :param test: its id.
        """
        file = test.partition("::")[0]
        self._tell(self._report(test, "setup", "skipped", (file, 0, f"Skipped: {reason}")), TestFacts(), [])

    def _report(
        self, test: str, when: str, outcome: str, text: str | tuple[str, int, str] | None
    ) -> pytest.TestReport:
        file, _, name = test.partition("::")
        return pytest.TestReport(
            nodeid=test,
            location=(file, None, name.replace("::", ".")),
            keywords={},
            outcome=outcome,  # type: ignore[arg-type]  # one of pytest's three
            longrepr=text,
            when=when,  # type: ignore[arg-type]  # one of pytest's three
        )

    def _tell(
        self, report: pytest.TestReport, facts: TestFacts, properties: Sequence[tuple[str, object]]
    ) -> None:
        end = self._report(report.nodeid, "teardown", "passed", None)  # with it JUnit's test case is complete
        for each in (report, end):
            each.user_properties = list(properties)
            facts.put_on(each)
        setattr(report, UNRUN_ATTRIBUTE, True)
        setattr(report, UNWRITTEN_ATTRIBUTE, True)
        self._config.hook.pytest_runtest_logreport(report=report)
        self._config.hook.pytest_runtest_logreport(report=end)
        self._count(report)
