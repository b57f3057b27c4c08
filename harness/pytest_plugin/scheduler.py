"""The scheduler that pytest-xdist calls: it translates xdist's events for :class:`Dispatcher`.

xdist's protocol knows test ids only, so what each test needs comes from a file that each worker writes
before it says that its collection is finished.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import pytest

from harness.pytest_plugin.collected import Collected
from harness.pytest_plugin.handover import read_needs
from harness.pytest_plugin.internal_errors import internal_error_of
from harness.pytest_plugin.leaving import report_left
from harness.pytest_plugin.sendings import Sendings
from harness.pytest_plugin.worker_loop import HEALTH
from harness.scheduling.dispatch import Dispatcher
from harness.scheduling.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.inventory.board import Board
    from harness.pytest_plugin.handover import Requirement
    from harness.pytest_plugin.sendings import WorkerController
    from harness.pytest_plugin.state import ActiveSession
    from harness.pytest_plugin.turns import Turns
    from harness.scheduling.needs import BoardNeed


class Health(Protocol):
    """What takes care of boards in the controller: its plugin of the name :data:`HEALTH`."""

    def give_up(self, board_id: str, reason: str) -> None:
        """Take a board out of the session: :meth:`BoardScheduling.give_up_board` is called."""


class BoardScheduling:
    """Gives each worker the tests that fit its board.

    The members that xdist calls are those of its ``Scheduling`` protocol; each docstring says when.
    """

    def __init__(
        self,
        config: pytest.Config,
        session: ActiveSession,
        board_of: Mapping[str, str | None],
        *,
        workers: int,
        turns: Turns,
        expected_seconds: Callable[[], Callable[[str], Mapping[str, float]]] = lambda: lambda _test: {},
        start_worker: Callable[[str], bool] | None = None,
        ends_early: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait for the workers.

        :param config: the controller's.
        :param session: the session.
        :param board_of: id of the board of each worker, by worker id; grows as workers are configured.
        :param workers: how many were started.
        :param turns: where controller and workers say what they are about to do.
        :param expected_seconds: returns what tells how long a test takes on each kind of board.
        :param start_worker: starts a worker for a board; tells whether it did.
        :param ends_early: tells whether xdist ends the session before all tests ran.
        """
        self._sendings = Sendings(turns)
        self._expected_seconds = expected_seconds
        self._start_worker = start_worker
        self._xdist_ends_early = ends_early
        self.give_up: Callable[[Sequence[str]], None]
        """Takes the ids of tests that no board can run any more."""
        self.once_more: Callable[[str], str | None] = lambda _test: None
        """Tells of a test that is over on which board it failed, if it is to be run once more on another."""
        self.work: Mapping[str, Work] = {}
        """Each test, by its id."""
        self._requirements: list[Requirement] = []
        self._early: list[Callable[[Dispatcher[WorkerController]], None]] = []
        self.config = config
        self._session = session
        self._board_of = board_of
        self._expected = workers
        self._waiting: list[WorkerController] = []
        self._collected = Collected(config)
        self._dispatcher: Dispatcher[WorkerController] | None = None
        self._disagreement = self._ends_early = self._some_may_end = False
        self.collection: list[str] = []
        self._numbers: dict[str, int] = {}
        self._boards_of_lost: dict[str, tuple[str, ...]] = {}

    @property
    def not_run(self) -> list[str]:
        """Ids of the tests that were collected and did not run."""
        if self._dispatcher is None:
            return self._collected.first
        finished = self._dispatcher.finished
        return [test for index, test in enumerate(self.collection) if index not in finished]

    @property
    def nodes(self) -> list[WorkerController]:
        """The workers that take part; read when the session shuts down."""
        return [*self._waiting, *(self._dispatcher.workers if self._dispatcher else ())]

    @property
    def collection_is_completed(self) -> bool:
        """Whether each worker that was started has collected; read after each collection."""
        return self._dispatcher is not None or len(self._collected) >= self._expected

    @property
    def tests_finished(self) -> bool:
        """Whether all workers may be shut down; read after each event."""
        if self._dispatcher is None:
            return self._disagreement
        if self._ends_early:
            return True
        self._start_missing_workers(self._dispatcher)
        finished = self._dispatcher.only_last_tests_left
        self._some_may_end = self._some_may_end or finished  # xdist tells all of them at once
        return finished

    def _start_missing_workers(self, dispatcher: Dispatcher[WorkerController]) -> None:
        """Start workers for boards that have none: after an event xdist has replaced the one that crashed."""
        if self._start_worker is not None:
            for board in dispatcher.boards_without_worker():
                if not self._start_worker(board):
                    return

    @property
    def has_begun(self) -> bool:
        """Whether tests were handed out."""
        return self._dispatcher is not None

    @property
    def has_pending(self) -> bool:
        """Whether tests are being run."""
        return self._dispatcher is not None and self._dispatcher.has_unfinished

    def boards_of_running(self, test: str) -> tuple[str, ...]:
        """Return the ids of the boards that a running test uses; none of one that is not running.

        :param test: id of the test: xdist does not say which worker began it.
        """
        index = self._numbers.get(test)
        running = None if index is None else self._sendings.running(index)
        if running is None:
            return ()
        node, assignment = running
        own = self._board_of[node.gateway.id]
        return assignment.boards or (() if own is None else (own,))

    def boards_of_lost(self, test: str) -> tuple[str, ...]:
        """Return the ids of the boards of a test in which its worker ended; none of one without a board.

        :param test: id of the test.
        """
        return self._boards_of_lost.get(test, ())

    def add_node(self, node: WorkerController) -> None:
        """A worker is there and begins to collect."""
        self._waiting.append(node)

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """A worker has collected."""
        self._collected.add(node, collection)

    def schedule(self) -> None:
        """Every worker that was started has collected, or a replacement has."""
        if self._dispatcher is None:
            self._disagreement = not self._collected.all_agree()
            if self._disagreement:
                return
            self.collection = self._collected.first
            self._dispatcher = self._make_dispatcher(self._collected.first_worker)
        for node in [node for node in self._waiting if node in self._collected]:
            self._waiting.remove(node)
            if self._collected.agrees(node):
                self._dispatcher.add_worker(node, self._board_of[node.gateway.id])
            else:  # a replacement that collected anything else would run the wrong tests
                self._start_worker = None  # and so would the next one
                node.shutdown()
        self._some_may_end = True  # xdist may have told them before
        self._give_orders()

    def _make_dispatcher(self, worker: str) -> Dispatcher[WorkerController]:
        self._requirements = read_needs(self._session.directory, worker)
        for index, test in enumerate(self.collection):
            self._numbers.setdefault(test, index)
        seconds = self._expected_seconds()
        fitting = {
            need: frozenset(board.id for board in need.fitting(self._session.boards))
            for need in {requirement.need for requirement in self._requirements}
            if need is not None
        }
        work = [
            self._work_of(requirement, fitting, seconds(test))
            for test, requirement in zip(self.collection, self._requirements, strict=True)
        ]
        self.work = dict(zip(self.collection, work, strict=True))
        kinds = {board.id: board.kind for board in self._session.boards}
        dispatcher = Dispatcher(work, kinds, self._sendings.revoke, restarts=self._start_worker is not None)
        for event in self._early:
            event(dispatcher)
        return dispatcher

    def _work_of(
        self,
        requirement: Requirement,
        fitting: Mapping[BoardNeed, frozenset[str]],
        seconds: Mapping[str, float],
    ) -> Work:
        need, count = requirement.need, requirement.count
        boards = None if need is None else fitting[need]
        # A test that fits too few boards is skipped, or fails, with the reason: any worker can say so, unless
        # boards may come that it fits.
        if boards is not None and len(boards) < count and not self._session.settings.late_boards:
            boards, count = None, 1
        return Work(boards=boards, count=count, seconds=seconds, group=requirement.group)

    def _give_orders(self) -> None:
        assert self._dispatcher is not None  # noqa: S101 - called after schedule() alone; tells mypy so
        if hopeless := self._dispatcher.take_hopeless():
            self.give_up([self.collection[index] for index in hopeless])
        self._heed_those_that_end(self._dispatcher)
        for node, orders in self._dispatcher.give_orders(time.monotonic()).items():
            self._sendings.send(node, orders)

    def _heed_those_that_end(self, dispatcher: Dispatcher[WorkerController]) -> None:
        """Take notice of workers that xdist, and not the dispatcher, told to end: mostly there are none."""
        if not self._ends_early and self._xdist_ends_early():
            self._end(dispatcher)
        some_may_end, self._some_may_end = self._some_may_end or self._ends_early, False
        for node in dispatcher.workers if some_may_end else ():
            if node.shutting_down or self._ends_early:
                dispatcher.stop(node)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """A worker is done with a test: it ran it, passed over it, declined it or freed its board for it."""
        del duration
        if self._dispatcher is None:
            return
        assignment, declined = self._sendings.end(node, item_index)
        self._dispatcher.complete(node, item_index, declined=declined is not None)
        if declined is not None:
            self._hear_declined(self._board_of[node.gateway.id], declined)
        elif not assignment.stands_by:
            not_on = self.once_more(self.collection[item_index])
            if not_on is not None:
                self._dispatcher.put_back(item_index, not_on=not_on)
        self._give_orders()

    def _hear_declined(self, board: str | None, reason: str) -> None:
        """A board is not fit: it is given up, with its reason."""
        assert board is not None  # noqa: S101 - a worker without one has nothing that may be unfit
        health: Health | None = self.config.pluginmanager.get_plugin(HEALTH)
        assert health is not None  # noqa: S101 - whoever declines has one; tells mypy so
        health.give_up(board, reason)

    def mark_test_pending(self, item: str) -> None:
        """A plugin wants a crashed test to be run again."""
        if self._dispatcher is not None:
            self._dispatcher.put_back(self._numbers[item])
            self._give_orders()

    def may_run_elsewhere(self, test: str, board: str) -> bool:
        """Tell whether a test that runs on a board, or ran there, could be run on another one.

        :param test: its id.
        """
        return self._dispatcher is not None and self._dispatcher.may_run_elsewhere(self._numbers[test], board)

    def remove_pending_tests_from_node(self, node: WorkerController, indices: Sequence[int]) -> None:
        """Answer to a request to steal, which this scheduler never makes."""
        raise NotImplementedError

    def remove_node(self, node: WorkerController) -> str | None:
        """A worker ended; returns the test that it crashed in.

        A worker that said goodbye crashed in none, for xdist, which takes it for a mistake of ours to name
        one. If it left tests all the same (``pytest.exit``) we report the one that it had begun, and nobody
        comes in its place: the session ends early.

        One that died while it took down what a test shared with others crashed in that test.

        :raises KeyError: the worker never took part, as xdist expects.
        """
        if node in self._waiting:
            self._waiting.remove(node)
            self._collected.drop(node)
            return None
        if self._dispatcher is None or node not in self._dispatcher.workers:
            raise KeyError(node)
        held = self._dispatcher.held_by(node)
        crashed = self._dispatcher.retire(node)
        before = self._sendings.died_taking_down(node)
        if before is not None:  # what it had claimed was not begun; what an earlier test shared killed it
            if crashed is not None:
                self._dispatcher.put_back(crashed)
            crashed = before
        test = None if crashed is None else self.collection[crashed]
        if test is not None and self.requirement_of(test).need is not None:
            self._boards_of_lost[test] = self.boards_of_running(test)
        self._sendings.forget(node)
        status = getattr(node, "workeroutput", {}).get("exitstatus", pytest.ExitCode.INTERRUPTED)
        # One that was interrupted, or had an internal error, is replaced like a dead one.
        if status != pytest.ExitCode.INTERRUPTED and not internal_error_of(node):
            self._ends_early = self._ends_early or bool(held)
            if test is not None:
                report_left(self, test, node, status)
                test = None
        self._give_orders()
        return test

    # -- called by the harness, in the main thread ---------------------------------------------------------

    def end(self) -> None:
        """Hand out nothing more: what was not begun is not run."""
        self._tell(self._end)

    def _end(self, dispatcher: Dispatcher[WorkerController]) -> None:
        self._ends_early = True
        dispatcher.end()

    def expect(self, worker: str) -> None:
        """A worker was configured; it is going to take part when it has collected."""
        if self._dispatcher is not None:
            self._dispatcher.expect(self._board_of[worker])

    def expect_no_longer(self, worker: str) -> None:
        """A worker ended, perhaps before it took part."""
        if self._dispatcher is not None and all(
            node.gateway.id != worker for node in self._dispatcher.workers
        ):
            self._dispatcher.expect_no_longer(self._board_of[worker])

    def lose_board(self, board: str) -> None:
        """A board went away."""
        self._tell(lambda dispatcher: dispatcher.lose_board(board))

    def return_board(self, board: Board) -> None:
        """A board came back."""
        self._tell(lambda dispatcher: dispatcher.return_board(board.id))

    def give_up_board(self, board: str) -> None:
        """A board is not waited for any longer, or not fit to be used."""

        def give_up(dispatcher: Dispatcher[WorkerController]) -> None:
            dispatcher.lose_board(board)
            dispatcher.give_up_board(board)

        self._tell(give_up)

    def add_board(self, board: Board) -> None:
        """A board came that the session did not have."""

        def add(dispatcher: Dispatcher[WorkerController]) -> None:
            needs = [requirement.need for requirement in self._requirements]
            fitting = [
                index for index, need in enumerate(needs) if need is not None and not need.misfit(board)
            ]
            dispatcher.add_board(board.id, board.kind, fitting)

        self._tell(add)

    def _tell(self, event: Callable[[Dispatcher[WorkerController]], None]) -> None:
        if self._dispatcher is None:
            self._early.append(event)
        else:
            self._heed_those_that_end(self._dispatcher)  # a test without a board stays with one that ends
            event(self._dispatcher)
            self._give_orders()

    def running_on(self, board: str) -> str | None:
        """Return the id of the test that uses a board, or is about to."""
        index = None if self._dispatcher is None else self._dispatcher.test_on(board)
        return None if index is None else self.collection[index]

    @property
    def waiting(self) -> int:
        """How many tests wait for the return of a board, since no other fits them."""
        return 0 if self._dispatcher is None else self._dispatcher.waiting

    def take_homeless(self) -> list[str]:
        """Take out the tests that fit no board, now that none can come any more; none if we ended it."""
        if self._dispatcher is None or self._ends_early:
            return []
        return [self.collection[index] for index in self._dispatcher.take_homeless()]

    def requirement_of(self, test: str) -> Requirement:
        """Return what a test needs."""
        return self._requirements[self._numbers[test]]
