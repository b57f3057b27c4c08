"""The loop over the tests of a session without workers.

Pytest's own loop takes the tests in their order whatever happens. This one leaves out those whose board is
away until it is back, and tests for boards that come late until one has come; it takes a test once more that
is to be run on another board, and none any more when the time of the session is over.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

import pytest

from harness.pytest_plugin.deadline import Deadline
from harness.pytest_plugin.placement import PLACEMENT_KEY
from harness.pytest_plugin.retry import make_fresh
from harness.pytest_plugin.state import BOARDS_KEY, boards_used
from harness.pytest_plugin.tearing_down import tear_down_before
from harness.pytest_plugin.worker_loop import HEALTH, Fitness
from harness.scheduling.order import Order
from harness.scheduling.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.inventory.board import Board
    from harness.pytest_plugin.handover import Requirement
    from harness.pytest_plugin.runner import TestRunner


class Health(Fitness, Protocol):
    """What takes care of boards where there is one process."""

    unfit_board: str | None
    """Id of the board for whose sake :meth:`fitness` said no last."""

    def give_up(self, board_id: str, reason: str) -> None:
        """Take a board out of the session: :meth:`OneProcess.give_up_board` is called."""


class OneProcess:
    """Runs the tests; boards that come and go are told by :class:`~harness.pytest_plugin.hotplug.Hotplug`."""

    def __init__(self, config: pytest.Config, runner: TestRunner, *, deadline: float) -> None:
        """Run nothing yet.

        :param config: the process's.
        :param runner: lends the tests their boards.
        :param deadline: seconds for what is taken down between two tests; 0 for no limit.
        """
        self._config = config
        self._runner = runner
        self._deadline = deadline
        self.give_up: Callable[[Sequence[str]], None]
        """Takes the ids of tests that no board can run any more."""
        self.once_more: Callable[[str], str | None] = lambda _test: None
        """Tells of a test that is over on which board it failed, if it is to be run once more on another."""
        self._events: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._items: list[pytest.Item] = []
        self._numbers: dict[str, int] = {}
        self._order = Order([])
        self._last: pytest.Item | None = None

    def post(self, action: Callable[[], None]) -> None:
        """Have something done between two tests; any thread may call."""
        self._events.put(action)

    # -- the loop -----------------------------------------------------------------------------------------

    # Before pytest's own, which it stands in for, and after what shows a plan.
    @pytest.hookimpl
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the tests, each when a board is there that it fits."""
        if session.testsfailed and not session.config.option.continue_on_collection_errors:
            return None  # pytest says so
        self._items = session.items
        for number, item in enumerate(session.items):
            self._numbers.setdefault(item.nodeid, number)
        self._order = Order([_work_of(item) for item in session.items])
        self._take_events()
        while (index := self._next_or_wait()) is not None:
            self._take(index)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
            self._take_events()
        self._tear_down_before(None)  # it may be that those were to be next which were given up
        return True

    def _take(self, index: int) -> None:
        """Run a test, unless its board is not fit."""
        item = self._items[index]
        boards = self._order.boards_for(index)
        self._order.begin(index)
        if boards:  # those that were given up, or on which it failed before, are not among them
            self._runner.assign(item, boards)
        health: Health | None = self._config.pluginmanager.get_plugin(HEALTH)
        reason = None if health is None else health.fitness(item)
        if health is not None and reason is not None:
            self._runner.withdraw()
            self._order.put_back(index)
            assert health.unfit_board is not None  # noqa: S101 - of whom the reason tells; tells mypy so
            health.give_up(health.unfit_board, reason)
            return
        self._run(item)
        not_on = self.once_more(item.nodeid)
        if not_on is not None:
            make_fresh(item)
            self._order.put_back(index, not_on=not_on)

    def _run(self, item: pytest.Item) -> None:
        self._tear_down_before(item)  # what was to be next may have been another one
        if BOARDS_KEY in item.stash:  # of an attempt before, on other boards
            del item.stash[BOARDS_KEY]
        coming = self._order.next()
        # While a board may still come back, its tests are next: their fixtures stay.
        if coming is None and self._order.waits:
            coming = min(self._order.queued)
        following = None if coming is None else self._items[coming]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        self._last = item

    def _tear_down_before(self, following: pytest.Item | None) -> None:
        if self._last is None:
            return
        watch = Deadline(self._deadline).over("tear-down")
        failure = tear_down_before(following, last=self._last, watch=watch)
        if failure is not None:
            self._last.ihook.pytest_runtest_logreport(report=failure)

    def _next_or_wait(self) -> int | None:
        """Return the next test; ``None`` when none is left that a board may run."""
        while (index := self._order.next()) is None and self._order.waits:
            self._events.get()()  # a board comes back, or its time is over
            self._after_event()
        return index

    def _take_events(self) -> None:
        while not self._events.empty():
            self._events.get()()
        self._after_event()

    def _after_event(self) -> None:
        hopeless = self._order.take_hopeless()
        if hopeless:
            self.give_up([self._items[index].nodeid for index in hopeless])

    # -- the course of the tests: called between two of them, or while one runs ---------------------------

    def end(self) -> None:
        """Hand out nothing more: what was not begun is not run."""
        self._order.end()

    def may_run_elsewhere(self, test: str, board: str) -> bool:
        """Tell whether a test that runs on a board, or ran there, could be run on another one.

        :param test: its id.
        """
        return self._order.may_run_elsewhere(self._numbers[test], board)

    # -- boards that come and go: called between two tests ------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many tests wait for the return of a board, since no other fits them."""
        return self._order.waiting

    def running_on(self, board: str) -> str | None:
        """Return the test that used a board last, if it is being run."""
        item = self._runner.current
        used = () if item is None else boards_used(item)
        return item.nodeid if item is not None and any(leased.id == board for leased in used) else None

    def requirement_of(self, test: str) -> Requirement:
        """Return what a test needs."""
        return self._items[self._numbers[test]].stash[PLACEMENT_KEY].requirement

    def lose_board(self, board: str) -> None:
        """A board went away."""
        self._order.lose_board(board)

    def return_board(self, board: Board) -> None:
        """A board came back."""
        self._order.return_board(board.id)

    def give_up_board(self, board: str) -> None:
        """A board is not waited for any longer, or not fit to be used."""
        self._order.lose_board(board)
        self._order.give_up_board(board)

    def add_board(self, board: Board) -> None:
        """A board came that the session did not have."""
        self._runner.add_board(board)
        needs = [item.stash[PLACEMENT_KEY].need for item in self._items]
        fitting = [index for index, need in enumerate(needs) if need is not None and not need.misfit(board)]
        self._order.add_board(board.id, fitting)

    def take_homeless(self) -> list[str]:
        """Take out the tests that fit no board, now that none can come any more; none if time was over."""
        if self._order.has_ended:
            return []
        return [self._items[index].nodeid for index in self._order.take_homeless()]


def _work_of(item: pytest.Item) -> Work:
    placement = item.stash[PLACEMENT_KEY]
    requirement = placement.requirement
    if requirement.need is None:
        return Work(boards=None)
    return Work(boards=frozenset(board.id for board in placement.boards), count=requirement.count)
