"""The scheduler that pytest-xdist calls: it translates xdist's events for :class:`Dispatcher`.

xdist's protocol knows test ids only, so what each test needs comes from a file that each worker writes
before it says that its collection is finished.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from xdist.report import report_collection_diff  # type: ignore[import-untyped]  # xdist ships no types

from harness.pytest_plugin.handover import read_needs
from harness.scheduling.dispatch import Dispatcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.inventory.board import Board
    from harness.pytest_plugin.state import ActiveSession
    from harness.pytest_plugin.turns import Turns
    from harness.scheduling.needs import BoardNeed
    from harness.scheduling.queues import Boards


class WorkerController(Protocol):
    """What we use of xdist's class of that name: the controller's handle of a worker."""

    gateway: Any

    @property
    def shutting_down(self) -> bool:
        """Whether it was told to shut down, or is gone."""

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        """Have it run tests."""

    def shutdown(self) -> None:
        """Have it end when it ran what it holds."""


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
        turns: Turns | None = None,
        start_worker: Callable[[str], bool] | None = None,
    ) -> None:
        """Wait for the workers.

        :param config: the controller's.
        :param session: the session.
        :param board_of: id of the board of each worker, by worker id; grows as workers are configured.
        :param turns: by which tests are revoked that a worker has not begun.
        :param start_worker: starts a worker for a board; tells whether it did.
        """
        self._turns = turns
        self._start_worker = start_worker
        self.give_up: Callable[[Sequence[str]], None] | None = None
        """Takes the ids of tests that no board can run any more."""
        self._needs: list[BoardNeed | None] = []
        self._early: list[Callable[[Dispatcher[WorkerController]], None]] = []
        self.config = config
        self._session = session
        self._board_of = board_of
        self._expected = len(config.option.tx)
        self._waiting: list[WorkerController] = []
        self._collections: dict[WorkerController, list[str]] = {}
        self._dispatcher: Dispatcher[WorkerController] | None = None
        self._disagreement = False
        self._ends_early = False
        self.collection: list[str] = []

    @property
    def not_run(self) -> list[str]:
        """Ids of the tests that were collected and did not run."""
        if self._dispatcher is None:
            return next(iter(self._collections.values()), [])
        finished = self._dispatcher.finished
        return [test for index, test in enumerate(self.collection) if index not in finished]

    @property
    def nodes(self) -> list[WorkerController]:
        """The workers that take part; read when the session shuts down."""
        return [*self._waiting, *(self._dispatcher.workers if self._dispatcher else ())]

    @property
    def collection_is_completed(self) -> bool:
        """Whether each worker that was started has collected; read after each collection."""
        return self._dispatcher is not None or len(self._collections) >= self._expected

    @property
    def tests_finished(self) -> bool:
        """Whether all workers may be shut down; read after each event."""
        if self._dispatcher is None:
            return self._disagreement
        if self._ends_early:
            return True
        self._start_missing_workers(self._dispatcher)
        return self._dispatcher.only_last_tests_left

    def _start_missing_workers(self, dispatcher: Dispatcher[WorkerController]) -> None:
        """Start workers for boards that have none: after an event xdist has replaced the one that crashed."""
        if self._start_worker is not None:
            for board in dispatcher.boards_without_worker():
                if not self._start_worker(board):
                    return

    @property
    def has_pending(self) -> bool:
        """Whether tests are being run."""
        return self._dispatcher is not None and self._dispatcher.has_unfinished

    def board_of_running(self, test: str) -> str | None:
        """Return the id of the board whose worker runs a test; ``None`` when none does, or it has no board.

        :param test: id of the test: xdist does not say which worker began it.
        """
        if self._dispatcher is None:
            return None
        for node in self._dispatcher.workers:
            if any(self.collection[index] == test for index in self._dispatcher.held_by(node)):
                return self._board_of[node.gateway.id]
        return None

    def add_node(self, node: WorkerController) -> None:
        """A worker is there and begins to collect."""
        self._waiting.append(node)

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """A worker has collected."""
        self._collections[node] = list(collection)

    def schedule(self) -> None:
        """Every worker that was started has collected, or a replacement has."""
        if self._dispatcher is None:
            self._disagreement = not self._collections_agree()
            if self._disagreement:
                return
            first = next(iter(self._collections))
            self.collection = self._collections[first]
            self._dispatcher = self._make_dispatcher(first.gateway.id)
        joining = [node for node in self._waiting if node in self._collections]
        for node in joining:
            self._waiting.remove(node)
            if self._collections[node] == self.collection:
                self._dispatcher.add_worker(node, self._board_of[node.gateway.id])
            else:  # a replacement that collected anything else would run the wrong tests
                self._report_difference(self.collection, self._collections[node], node)
                self._start_worker = None  # and so would the next one
                node.shutdown()
        self._give_orders()

    def _make_dispatcher(self, worker: str) -> Dispatcher[WorkerController]:
        self._needs = read_needs(self._session.directory, worker)
        boards_of: list[Boards] = []
        for need in self._needs:
            boards = None if need is None else need.fitting(self._session.boards)
            # A test that fits no board is skipped, or fails, with the reason: any worker can say so, unless
            # a board may come that it fits.
            waits = need is not None and self._session.settings.late_boards
            boards_of.append(frozenset(board.id for board in boards or ()) if boards or waits else None)
        dispatcher = Dispatcher(boards_of, self._revoke, restarts=self._start_worker is not None)
        for event in self._early:
            event(dispatcher)
        return dispatcher

    def _revoke(self, node: WorkerController, turn: int) -> bool:
        return self._turns is not None and self._turns.claim(node.gateway.id, turn)

    def _collections_agree(self) -> bool:
        collections = iter(self._collections.items())
        _, first = next(collections)
        agree = True
        for node, collection in collections:
            if collection != first:
                agree = False
                self._report_difference(first, collection, node)
        return agree

    def _report_difference(self, first: list[str], other: list[str], node: WorkerController) -> None:
        name = next(iter(self._collections)).gateway.id
        message = report_collection_diff(first, other, name, node.gateway.id)
        report = pytest.CollectReport(
            nodeid=node.gateway.id, outcome="failed", longrepr=message or "other tests collected", result=[]
        )
        self.config.hook.pytest_collectreport(report=report)

    def _give_orders(self) -> None:
        assert self._dispatcher is not None  # noqa: S101 - called after schedule() alone; tells mypy so
        hopeless = self._dispatcher.take_hopeless()
        if hopeless and self.give_up is not None:
            self.give_up([self.collection[index] for index in hopeless])
        self._heed_those_that_end(self._dispatcher)
        for node, orders in self._dispatcher.give_orders().items():
            with suppress(OSError):  # it has just died; xdist says so in a moment, and the tests come back
                if orders.tests:
                    node.send_runtest_some(list(orders.tests))
                if orders.shut_down:
                    node.shutdown()

    def _heed_those_that_end(self, dispatcher: Dispatcher[WorkerController]) -> None:
        """Take notice of the workers that xdist, and not the dispatcher, told to end, or that are gone."""
        for node in dispatcher.workers:
            if node.shutting_down or self._ends_early:
                dispatcher.stop(node)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """A worker ran a test to its end."""
        del duration
        if self._dispatcher is not None:
            self._dispatcher.complete(node, item_index)
            self._give_orders()

    def mark_test_pending(self, item: str) -> None:
        """A plugin wants a crashed test to be run again."""
        if self._dispatcher is not None:
            self._dispatcher.put_back(self.collection.index(item))
            self._give_orders()

    def remove_pending_tests_from_node(self, node: WorkerController, indices: Sequence[int]) -> None:
        """Answer to a request to steal, which this scheduler never makes."""
        raise NotImplementedError

    def remove_node(self, node: WorkerController) -> str | None:
        """A worker ended; returns the test that it crashed in.

        A worker that said goodbye crashed in none, for xdist, which takes it for a mistake of ours to name
        one. If it left tests all the same (``pytest.exit``, an internal error) we report the one that it
        had begun, and nobody comes in its place: the session ends early.

        :raises KeyError: the worker never took part, as xdist expects.
        """
        if node in self._waiting:
            self._waiting.remove(node)
            self._collections.pop(node, None)
            return None
        if self._dispatcher is None or node not in self._dispatcher.workers:
            raise KeyError(node)
        held = self._dispatcher.held_by(node)
        crashed = self._dispatcher.retire(node)
        test = None if crashed is None else self.collection[crashed]
        status = getattr(node, "workeroutput", {}).get("exitstatus", pytest.ExitCode.INTERRUPTED)
        if status != pytest.ExitCode.INTERRUPTED:  # one that was interrupted is replaced like a dead one
            self._ends_early = self._ends_early or bool(held)
            if test is not None:
                self._report_unended(test, node, status)
                test = None
        self._give_orders()
        return test

    def _report_unended(self, test: str, node: WorkerController, status: int) -> None:
        """Report a test that its worker left before it was over, as xdist reports one that it died in."""
        file = test.partition("::")[0]
        name = node.gateway.id
        report = pytest.TestReport(
            nodeid=test,
            location=(file, None, file),
            keywords={},
            outcome="failed",
            longrepr=f"worker {name!r} ended with exit status {int(status)} while running {test!r}",
            when="???",  # type: ignore[arg-type]  # as xdist's own: nobody knows
        )
        report.node = node  # type: ignore[attr-defined]  # as xdist's own
        self.config.hook.pytest_handlecrashitem(crashitem=test, report=report, sched=self)
        self.config.hook.pytest_runtest_logreport(report=report)

    # -- boards that come and go: called by the harness, in the main thread -------------------------------

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
        """A board is not waited for any longer."""
        self._tell(lambda dispatcher: dispatcher.give_up_board(board))

    def add_board(self, board: Board) -> None:
        """A board came that the session did not have."""

        def add(dispatcher: Dispatcher[WorkerController]) -> None:
            fitting = [
                index for index, need in enumerate(self._needs) if need is not None and not need.misfit(board)
            ]
            dispatcher.add_board(board.id, fitting)

        self._tell(add)

    def _tell(self, event: Callable[[Dispatcher[WorkerController]], None]) -> None:
        if self._dispatcher is None:
            self._early.append(event)
        else:
            self._heed_those_that_end(self._dispatcher)  # a test without a board stays with one that ends
            event(self._dispatcher)
            self._give_orders()

    def running_on(self, board: str) -> str | None:
        """Return the id of the test that a board's worker runs, or is about to."""
        for node in self._dispatcher.workers if self._dispatcher is not None else ():
            if self._board_of[node.gateway.id] == board:
                held = self._dispatcher.held_by(node) if self._dispatcher is not None else ()
                return self.collection[held[0]] if held else None
        return None

    @property
    def waiting(self) -> int:
        """How many tests wait for the return of a board, since no other fits them."""
        return 0 if self._dispatcher is None else self._dispatcher.queues.waiting

    def take_homeless(self) -> list[str]:
        """Take out the tests that fit no board, now that none can come any more."""
        if self._dispatcher is None:
            return []
        return [self.collection[index] for index in self._dispatcher.take_homeless()]

    def need_of(self, test: str) -> BoardNeed | None:
        """Return what a test needs of its board."""
        return self._needs[self.collection.index(test)]
