"""Tests that no board can run any more: each is reported as failed by the rig's fault, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.pytest_plugin.handover import Requirement
    from harness.pytest_plugin.state import ActiveSession
    from harness.pytest_plugin.unrun import UnrunReports


class KnowsNeeds(Protocol):
    """Whoever hands out the tests."""

    def requirement_of(self, test: str) -> Requirement:
        """Return what a test needs."""


def report_hopeless(
    tests: Sequence[str], session: ActiveSession, course: KnowsNeeds, reports: UnrunReports
) -> None:
    """Report tests whose boards are all gone.

    :param tests: their ids.
    :param session: knows why boards are gone.
    :param course: hands out the tests.
    :param reports: takes what became of them.
    """
    for test in tests:
        need = course.requirement_of(test).need
        boards = [board for board in session.boards if need is None or not need.misfit(board)]
        reasons = [session.gone[board.id] for board in boards if board.id in session.gone]
        reports.fail(test, f"not run: {'; '.join(reasons)}", Verdict.RIG, boards)
