"""The loop over the tests of a session without workers, when its boards may come and go.

Pytest's own loop takes the tests in their order whatever happens. This one leaves out those whose board is
away until it is back, and tests for boards that come late until one has come.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from harness.pytest_plugin.placement import PLACEMENT_KEY
from harness.pytest_plugin.state import BOARD_KEY
from harness.pytest_plugin.tearing_down import tear_down_before
from harness.scheduling.order import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.inventory.board import Board
    from harness.pytest_plugin.runner import TestRunner
    from harness.scheduling.needs import BoardNeed
    from harness.scheduling.queues import Boards


class OneProcess:
    """Runs the tests; boards that come and go are told by :class:`~harness.pytest_plugin.hotplug.Hotplug`."""

    def __init__(self, runner: TestRunner) -> None:
        """Run nothing yet.

        :param runner: lends the tests their boards.
        """
        self._runner = runner
        self.give_up: Callable[[Sequence[str]], None]
        """Takes the ids of tests that no board can run any more."""
        self._events: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._items: list[pytest.Item] = []
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
        self._order = Order([self._boards_of(item) for item in session.items])
        self._take_events()
        while (index := self._next_or_wait()) is not None:
            self._run(index)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
            self._take_events()
        self._tear_down_before(None)  # it may be that those were to be next which were given up
        return True

    def _boards_of(self, item: pytest.Item) -> Boards:
        placement = item.stash[PLACEMENT_KEY]
        if placement.need is None or placement.skip is not None or placement.fail is not None:
            return None
        return frozenset(board.id for board in placement.boards)

    def _run(self, index: int) -> None:
        item = self._items[index]
        self._order.begin(index)
        self._tear_down_before(item)  # what was to be next may have been another one
        coming = self._order.next()
        # While a board may still come back, its tests are next: their fixtures stay.
        if coming is None:
            coming = min(self._order.queues, default=None) if self._order.waits else None
        following = None if coming is None else self._items[coming]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        self._last = item

    def _tear_down_before(self, following: pytest.Item | None) -> None:
        failure = None if self._last is None else tear_down_before(following, last=self._last)
        if self._last is not None and failure is not None:
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
        hopeless = self._order.queues.take_hopeless()
        if hopeless:
            self.give_up([self._items[index].nodeid for index in hopeless])

    # -- boards that come and go: called between two tests ------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many tests wait for the return of a board, since no other fits them."""
        return self._order.queues.waiting

    def running_on(self, board: str) -> str | None:
        """Return the test that used a board last, if it is being run."""
        item = self._runner.current
        leased = None if item is None else item.stash.get(BOARD_KEY, None)
        return item.nodeid if item is not None and leased is not None and leased.id == board else None

    def need_of(self, test: str) -> BoardNeed | None:
        """Return what a test needs of its board."""
        item = next(item for item in self._items if item.nodeid == test)
        return item.stash[PLACEMENT_KEY].need

    def lose_board(self, board: str) -> None:
        """A board went away."""
        self._order.lose_board(board)

    def return_board(self, board: Board) -> None:
        """A board came back."""
        self._order.return_board(board.id)

    def give_up_board(self, board: str) -> None:
        """A board is not waited for any longer."""
        self._order.give_up_board(board)

    def add_board(self, board: Board) -> None:
        """A board came that the session did not have."""
        self._runner.add_board(board)
        needs = [item.stash[PLACEMENT_KEY].need for item in self._items]
        fitting = [index for index, need in enumerate(needs) if need is not None and not need.misfit(board)]
        self._order.add_board(board.id, fitting)

    def take_homeless(self) -> list[str]:
        """Take out the tests that fit no board, now that none can come any more."""
        return [self._items[index].nodeid for index in self._order.queues.take_homeless()]
