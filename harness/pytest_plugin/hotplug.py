"""Boards of a session that go away, come back or come late: who is told, and what becomes of their tests.

What is seen on USB is heard on the watch's thread. The absence of a board is noted there and then, for the
test that runs on it; everything else happens in the main thread, between two tests or two events of workers.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import pytest

from harness.errors import LeaseBusy
from harness.inventory.board_news import Joined, Lost, Refused, Returned
from harness.inventory.leased_board import LeasedBoard
from harness.inventory.vouching import Vouchers
from harness.pytest_plugin.hopeless import report_hopeless
from harness.pytest_plugin.late_leases import LateLeases
from harness.pytest_plugin.quarantining import why_quarantined
from harness.pytest_plugin.story import clock_time, tell_story
from harness.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from harness.inventory.board import Board
    from harness.inventory.board_news import News
    from harness.inventory.leases import Leases
    from harness.pytest_plugin.absence import Absences
    from harness.pytest_plugin.handover import Requirement
    from harness.pytest_plugin.state import ActiveSession
    from harness.pytest_plugin.unrun import UnrunReports


class Course(Protocol):
    """What hands out the tests: the scheduler of xdist, or the loop of the one process."""

    @property
    def waiting(self) -> int:
        """How many tests wait for the return of a board, since no other fits them."""

    def running_on(self, board: str) -> str | None:
        """Return the id of the test that runs on a board."""

    def requirement_of(self, test: str) -> Requirement:
        """Return what a test needs."""

    def lose_board(self, board: str) -> None:
        """A board went away."""

    def return_board(self, board: Board) -> None:
        """A board came back."""

    def add_board(self, board: Board) -> None:
        """A board came that the session did not have."""

    def give_up_board(self, board: str) -> None:
        """A board is not waited for any longer."""

    def take_homeless(self) -> list[str]:
        """Take out the tests that fit no board, now that none can come any more."""


@dataclass(slots=True)
class _Loss:
    """A board that is away.

    :ivar since: when it went, for people.
    :ivar began: when it went (``time.monotonic``).
    :ivar timer: gives it up.
    """

    since: str
    began: float
    timer: threading.Timer = field(init=False)


class Hotplug:
    """Watches a session's boards from the first test to the last."""

    def __init__(
        self,
        config: pytest.Config,
        session: ActiveSession,
        course: Course,
        *,
        leases: Leases,
        absences: Absences,
        reports: UnrunReports,
        post: Callable[[Callable[[], None]], None],
        leased: Callable[[str], LeasedBoard | None] = lambda _board: None,
    ) -> None:
        """Watch nothing yet.

        :param config: the controller's.
        :param session: the session; its boards and its story are kept up to date.
        :param course: hands out the tests.
        :param leases: the leases of its boards.
        :param absences: where it is noted who is away.
        :param reports: reports tests that did not run.
        :param post: has something done in the main thread.
        :param leased: returns a board as this process uses it, if it does.
        """
        self._config = config
        self._session = session
        self._course = course
        self._leases = LateLeases(
            leases,
            session.plugins,
            session.run_id,
            tell_busy=self._hear_busy,
            vouchers=Vouchers(session.directory),
        )
        self._absences = absences
        self._reports = reports
        self._post = post
        self._leased = leased
        self._losses: dict[str, _Loss] = {}
        self._unheard: deque[News] = deque()
        self._resources = ExitStack()
        config.add_cleanup(self._resources.close)

    # -- while tests run ----------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Watch while tests run; then report those that no board came for."""
        try:
            outcome = yield from self._watch_while_tests_run()
        except KeyboardInterrupt:  # nobody takes what was posted for the main thread any more
            self._tell_unheard()
            raise
        for test in self._course.take_homeless():
            self._report_homeless(test)
        return outcome

    def _watch_while_tests_run(self) -> Generator[None, object, object]:
        from harness.inventory.board_watch import BoardWatch

        with self._resources:
            self._resources.callback(self._leases.close)
            self._resources.callback(self._cancel_timers)
            watch = BoardWatch(
                self._session.boards,
                self._session.plugins,
                self._session.settings,
                late=self._session.settings.late_boards,
                tell=self._hear,
                ask=self._leases.ask,
            )
            self._resources.enter_context(watch)
            self._resources.callback(self._leases.stop_asking)  # the watch waits for its questions
            return (yield)

    def _cancel_timers(self) -> None:
        for loss in self._losses.values():
            loss.timer.cancel()

    def _hear(self, news: News) -> None:
        """Note who is away, on the watch's thread, and leave the rest to the main thread."""
        if isinstance(news, Lost):
            self._absences.note(news.board_id, news.reason)
        elif isinstance(news, Returned):
            self._absences.strike(news.board.id)
        self._unheard.append(news)
        self._post(lambda: self._take(self._unheard.popleft()))

    def _tell_unheard(self) -> None:
        """Say what happened to boards just before the session was interrupted; nothing is done about it."""
        while self._unheard:
            match self._unheard.popleft():
                case Lost(board_id, reason):
                    self._say(f"board {board_id} went away: {reason}{self._in_test(board_id)}")
                case Returned(board):
                    self._say(f"board {board.id} is back: {_ports(board)}")
                case Joined(board) | Refused(board, _):
                    self._say(f"board {board.id} was plugged in and is not used: the session ends")

    def _hear_busy(self, board: Board, holder: str) -> None:
        self._post(lambda: self._say(f"board {board.id} was plugged in and is not used: {holder}"))

    def _take(self, news: News) -> None:
        match news:
            case Lost(board_id, reason):
                self._lose(board_id, reason)
            case Returned(board):
                self._return(board)
            case Joined(board):
                self._join(board)
            case Refused(board, reason):
                self._leases.release(board)
                self._say(f"board {board.id} was plugged in and is not used: {reason}")

    # -- a board goes, and comes back ---------------------------------------------------------------------

    def _lose(self, board_id: str, reason: str) -> None:
        if board_id in self._session.unfit:  # nobody waits for it
            self._say(f"board {board_id} went away: {reason}; it was not used any more")
            return
        seconds = self._session.settings.return_deadline
        running = self._in_test(board_id)
        loss = self._losses[board_id] = _Loss(clock_time(), time.monotonic())
        loss.timer = threading.Timer(seconds, self._post, [lambda: self._give_up(board_id, loss)])
        loss.timer.daemon = True
        self._session.gone.pop(board_id, None)
        self._course.lose_board(board_id)
        waiting = self._course.waiting
        text = f"board {board_id} went away: {reason}{running}"
        text += f"; {_tests(waiting)} wait{'s' * (waiting == 1)} up to {seconds:g} s" if waiting else ""
        self._say(text)
        self._tell_plugins(board_id)
        loss.timer.start()

    def _in_test(self, board_id: str) -> str:
        running = self._course.running_on(board_id)
        return "" if running is None else f"; it was in {running}"

    def _tell_plugins(self, board_id: str) -> None:
        leased = self._leased(board_id)
        if leased is not None:
            self._session.plugins.hook.harness_board_lost(board=leased)
            return
        board = self._board(board_id)
        leased = LeasedBoard(board, self._session.plugins, capture_directory=None)
        try:
            self._session.plugins.hook.harness_board_lost(board=leased)
        finally:
            leased.close()

    def _return(self, board: Board) -> None:
        loss = self._losses.pop(board.id, None)
        after = ""
        if loss is not None:
            loss.timer.cancel()
            after = f" after {time.monotonic() - loss.began:.1f} s"
        if board.id in self._session.unfit:
            self._say(f"board {board.id} is back{after}, and is not used: {self._session.gone[board.id]}")
            self._course.give_up_board(board.id)
            return
        self._session.gone.pop(board.id, None)
        board = self._granted(board)
        self._session.boards = tuple(board if one.id == board.id else one for one in self._session.boards)
        self._say(f"board {board.id} is back{after}: {_ports(board)}")
        self._course.return_board(board)

    def _give_up(self, board_id: str, loss: _Loss) -> None:
        if self._losses.get(board_id) is not loss or board_id in self._session.unfit:
            return  # it came back meanwhile, or is out for another reason
        self._session.gone[board_id] = (
            f"board {board_id} went away at {loss.since} and did not come back within"
            f" {self._session.settings.return_deadline:g} s"
        )
        self._say(self._session.gone[board_id])
        self._course.give_up_board(board_id)

    def give_up_tests(self, tests: Sequence[str]) -> None:
        """Report tests that no board can run any more.

        :param tests: their ids.
        """
        report_hopeless(tests, self._session, self._course, self._reports)

    # -- a board comes late -------------------------------------------------------------------------------

    def _join(self, board: Board) -> None:
        board = self._granted(board)
        wanted = self._session.settings.board_ids
        if wanted and board.id not in wanted:
            self._leases.release(board)
            self._say(f"board {board.id} was plugged in and is not used: --board names others")
            return
        quarantined = why_quarantined(board, datetime.now(UTC))
        if quarantined is not None:
            self._leases.release(board)
            self._say(f"board {board.id} was plugged in and is not used: {quarantined}")
            return
        try:
            self._leases.join(board)
        except LeaseBusy as busy:
            self._say(f"board {board.id} was plugged in and is not used: {busy}")
            return
        self._session.boards = (*self._session.boards, board)
        self._say(f"board {board.id} ({board.kind}) was plugged in and joins: {_ports(board)}")
        self._course.add_board(board)

    def _report_homeless(self, test: str) -> None:
        requirement = self._course.requirement_of(test)
        assert requirement.need is not None  # noqa: S101 - one without a board fits every worker; tells mypy so
        reason = requirement.need.unmet(self._session.boards, requirement.count)
        if self._session.settings.strict_boards:
            self._reports.fail(test, f"{reason} (--strict-boards)", Verdict.USAGE)
        else:
            self._reports.skip(test, reason)

    # -- small things -------------------------------------------------------------------------------------

    def _board(self, board_id: str) -> Board:
        return next(board for board in self._session.boards if board.id == board_id)

    def _granted(self, board: Board) -> Board:
        return board.granted(allow_destructive=self._session.settings.allow_destructive)

    def _say(self, text: str) -> None:
        tell_story(self._config, self._session, f"{clock_time()} {text}")


def _tests(number: int) -> str:
    return f"{number} test{'' if number == 1 else 's'}"


def _ports(board: Board) -> str:
    return ", ".join(f"{role} {endpoint.url}" for role, endpoint in sorted(board.endpoints.items()))
