"""Whether the boards of this process are fit for a test: they are asked, and brought back when they are not.

A board is asked before its first test, and again after each test that failed on it, whoever was to blame:
a board that fell silent must not be the next test's failure. Where nothing helps the test is declined, and
the controller (:mod:`harness.pytest_plugin.health_desk`) gives it to another board.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import evidence
from harness.errors import BoardLost, HarnessError, TestDeadline, UsageError
from harness.health.asking import what_ails
from harness.health.ladder import climb, in_vain, steps_for
from harness.pytest_plugin.placement import PLACEMENT_KEY
from harness.pytest_plugin.state import boards_used
from harness.pytest_plugin.story import clock_time

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Any

    from harness.inventory.leased_board import LeasedBoard
    from harness.pytest_plugin.health_desk import HealthDesk
    from harness.pytest_plugin.health_notes import HealthNotes
    from harness.pytest_plugin.runner import TestRunner
    from harness.pytest_plugin.state import ActiveSession

_FIRST = "before its first test"
_NO_FAILURE = (pytest.skip.Exception, pytest.exit.Exception)


class BoardHealth:
    """Judges the boards of a process that runs tests; the plugin ``harness-health``.

    :ivar unfit_board: id of the board for whose sake a test was declined last.
    """

    def __init__(
        self,
        session: ActiveSession,
        runner: TestRunner,
        notes: HealthNotes,
        *,
        desk: HealthDesk | None = None,
    ) -> None:
        """Ask nothing yet.

        :param session: the session as this process sees it.
        :param runner: holds the boards.
        :param notes: where it is told what became of them.
        :param desk: takes boards that are not fit, where this is the only process.
        """
        self._session = session
        self._runner = runner
        self._notes = notes
        self._desk = desk
        self._fit: set[str] = set()
        self._doubts: dict[str, str] = {}
        self._untold: list[str] = []
        self.unfit_board: str | None = None

    # -- before a test ------------------------------------------------------------------------------------

    def fitness(self, item: pytest.Item) -> str | None:
        """Say why a test cannot be run on the boards that it would get now; ``None`` when it can.

        :param item: the test that is about to begin.
        """
        for leased in self._runner.boards_for(item):
            doubt = self._runner.doubt(leased)
            if doubt is not None:
                self._doubt(leased, doubt)
            if leased.id in self._fit or self._runner.is_away(leased.id):
                continue
            ailment = self._mend(leased)
            if ailment is not None:
                self.unfit_board = leased.id
                return ailment
            # What several boards are taken for, other processes use them for, too.
            if item.stash[PLACEMENT_KEY].count == 1:
                self._fit.add(leased.id)
        return None

    def _mend(self, leased: LeasedBoard) -> str | None:
        """Ask a board, and bring it back if it does not answer; say what ails it when that fails."""
        why = self._doubts.pop(leased.id, _FIRST)
        ailment = self._ask(leased)
        if ailment is None or self._runner.is_away(leased.id):  # who is away is waited for by others
            return None
        self._tell(f"board {leased.id} does not answer, {why}: {ailment}")

        def tell(text: str) -> None:
            self._tell(f"board {leased.id}: {text}")

        steps = steps_for(leased, self._session.plugins, tell)
        helped = climb(
            steps, lambda: self._ask(leased), prepare=lambda: self._runner.leave(leased), tell=tell
        )
        if helped is None:
            return f"board {leased.id} does not answer: {ailment}; {in_vain(steps)}"
        leased.remarks.append(self._clean(f"recovered at {clock_time()} by {helped}: {ailment}"))
        return None

    def _ask(self, leased: LeasedBoard) -> str | None:
        try:
            self._runner.clear_faults(leased)
            return what_ails(leased, self._session.plugins)
        except UsageError:  # not the board is wrong: the test says what is
            return None
        except BoardLost as lost:  # attached ones are waited for by others, and nothing is wrong with them
            return str(lost) if leased.description.virtual else None
        except HarnessError as error:
            return str(error)

    # -- what makes a board doubtful ----------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Doubt the boards of a test that failed, also where that was expected, or did not end in time."""
        if call.excinfo is not None and not isinstance(call.excinfo.value, _NO_FAILURE):
            late = isinstance(call.excinfo.value, TestDeadline)
            why = f"after {item.nodeid} {'did not end in time' if late else 'failed'}"
            for leased in boards_used(item):
                self._doubt(leased, why)
        return (yield)

    def _doubt(self, leased: LeasedBoard, why: str) -> None:
        self._fit.discard(leased.id)
        self._doubts.setdefault(leased.id, why)

    # -- telling ------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        """Show the next test what was done to its board before."""
        untold, self._untold = self._untold, []
        if untold:
            evidence.attach("health of the board", "\n".join(untold))
        return (yield)

    def give_up(self, board_id: str, reason: str) -> None:
        """Take a board out of the session, where this is the only process.

        :param board_id: its id.
        :param reason: what ails it.
        """
        assert self._desk is not None  # noqa: S101 - with workers the controller has one; tells mypy so
        self._desk.give_up(board_id, reason)

    def _tell(self, text: str) -> None:
        line = self._clean(f"{clock_time()} {text}")
        self._untold.append(line)
        self._notes.write(self._session.worker_id, line)
        if self._desk is not None:
            self._desk.hear()

    @property
    def _clean(self) -> Callable[[str], str]:
        return self._session.redactor.redact
