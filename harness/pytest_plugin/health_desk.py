"""What becomes of boards that nothing brought back: given up for the session, and kept from the next ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import pytest

from harness.errors import HarnessError
from harness.health.quarantine import Quarantines, how_to_lift
from harness.inventory.lease_records import describe_ourselves
from harness.pytest_plugin.hopeless import KnowsNeeds, report_hopeless
from harness.pytest_plugin.story import clock_time, tell_story

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.inventory.board import Board
    from harness.pytest_plugin.health_notes import HealthNotes
    from harness.pytest_plugin.state import ActiveSession
    from harness.pytest_plugin.unrun import UnrunReports


class Course(KnowsNeeds, Protocol):
    """What hands out the tests: the scheduler of xdist, or the loop of the one process."""

    def give_up_board(self, board: str) -> None:
        """A board gets no more tests."""


class HealthDesk:
    """In the process that the user started: hears what became of boards, and takes out unfit ones."""

    def __init__(
        self,
        config: pytest.Config,
        session: ActiveSession,
        course: Course,
        *,
        notes: HealthNotes,
        reports: UnrunReports,
    ) -> None:
        """Hear nothing yet.

        :param config: the process's.
        :param session: the session; its story and the boards that are gone are kept up to date.
        :param course: hands out the tests.
        :param notes: what the processes that run tests tell.
        :param reports: reports tests that did not run.
        """
        self._config = config
        self._session = session
        self._course = course
        self._notes = notes
        self._reports = reports

    def give_up(self, board_id: str, reason: str) -> None:
        """Take a board out of the session, and keep it from the next ones.

        :param board_id: its id; nothing happens when it is out already.
        :param reason: what ails it.
        """
        self.hear()
        if board_id in self._session.unfit:
            return
        reason = self._session.redactor.redact(reason)
        board = next(board for board in self._session.boards if board.id == board_id)
        self._session.unfit.add(board_id)
        self._session.gone[board_id] = reason
        self._say(f"{reason}; {self._quarantine(board, reason)}")
        self._course.give_up_board(board_id)

    def _quarantine(self, board: Board, reason: str) -> str:
        """Keep a board from other sessions; say what was done about it."""
        seconds = self._session.settings.quarantine_for
        if seconds is None:
            return "it gets no more tests in this session (--quarantine-for off)"
        try:
            quarantine = Quarantines.of_bench(board.bench).put(
                board,
                reason.removeprefix(f"board {board.id} "),
                now=datetime.now(UTC),
                lasts=timedelta(seconds=seconds),
                by=f"session {self._session.run_id} of {describe_ourselves(self._session.run_id).user}",
            )
        except (HarnessError, OverflowError) as error:
            return f"it gets no more tests in this session, and could NOT be quarantined: {error}"
        return f"quarantined {quarantine.end}; to use it again: {how_to_lift(board.id, board.bench)}"

    def give_up_tests(self, tests: Sequence[str]) -> None:
        """Report tests that no board can run any more.

        :param tests: their ids.
        """
        report_hopeless(tests, self._session, self._course, self._reports)

    # -- telling ------------------------------------------------------------------------------------------

    def hear(self) -> None:
        """Tell what was noted since it was looked last."""
        for line in self._notes.unread():
            tell_story(self._config, self._session, line)

    # First, so that it is on the terminal before the result of the test that it came before.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self) -> None:
        """Something came from a worker: perhaps it noted something before."""
        self.hear()

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Iterator[None]:
        """Tell the rest: workers may have ended in between."""
        try:
            return (yield)
        finally:
            self.hear()

    def _say(self, text: str) -> None:
        tell_story(self._config, self._session, f"{clock_time()} {text}")
