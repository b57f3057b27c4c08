"""A farm with a virtual clock: workers, boards and what happens to them, around the real dispatcher.

Workers are as obedient as the real ones: they begin what they hold at once, one after the other, end when
they are told to and hold nothing, and free their board when they stand by. Who runs what is not decided here.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from harness.scheduling.dispatch import Dispatcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.scheduling.work import Assignment, Orders, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """What happens to a farm, in virtual seconds.

    :ivar crashes: when the worker of a board crashes; another is there :attr:`restart` seconds later.
    :ivar losses: when a board goes away, and for how long.
    :ivar arrivals: when a board comes that the session did not have, and its kind.
    :ivar restart: how long a worker takes to start.
    """

    crashes: Sequence[tuple[float, str]] = ()
    losses: Sequence[tuple[float, str, float]] = ()
    arrivals: Sequence[tuple[float, str, str]] = ()
    restart: float = 3.0


@dataclass(slots=True)
class _Worker:
    board: str
    inbox: deque[tuple[int, Assignment]] = field(default_factory=deque)
    turns: int = 0
    running: tuple[int, Assignment] | None = None
    ends: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of a run.

    :ivar makespan: virtual seconds from the first start to the last end.
    :ivar decisions: real seconds of each decision: one completion and the orders after it.
    :ivar ran: how many tests were run, crashed ones included.
    :ivar busy: board-seconds in which tests ran.
    """

    makespan: float = 0.0
    decisions: list[float] = field(default_factory=list)
    ran: int = 0
    busy: float = 0.0


class Hang(AssertionError):
    """Tests are left and nothing is going to happen any more."""


class World:
    """One run of a farm."""

    def __init__(
        self,
        work: Sequence[Work],
        kinds: Mapping[str, str],
        seconds: Callable[[int, str], float],
        events: Events | None = None,
        fits: Callable[[int, str], bool] = lambda _test, _kind: False,
    ) -> None:
        """Prepare a run.

        :param work: the tests, with what is expected of them.
        :param kinds: the boards and their kinds.
        :param seconds: how long a test really takes on a kind of board.
        :param events: what happens to workers and boards.
        :param fits: whether a test fits boards of a kind, for those that come late.
        """
        self._work = work
        self._kinds = dict(kinds)
        self._seconds = seconds
        self._events = events or Events()
        self._fits = fits
        self._turns: dict[tuple[int, int], str] = {}
        self._workers: dict[int, _Worker] = {}
        self._of_board: dict[str, int] = {}
        self._number = count()
        self._order = count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._in_use: dict[str, int] = {}
        self._now = 0.0
        self._first: float | None = None
        self.outcome = Outcome()
        self._dispatcher: Dispatcher[int] = Dispatcher(work, kinds, self._revoke, restarts=True)

    # -- the agenda ---------------------------------------------------------------------------------------

    def _at(self, when: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (when, next(self._order), action))

    def run(self) -> Outcome:
        """Run all tests.

        :raises Hang: nothing happens any more, and tests are left.
        """
        for board in self._kinds:
            self._start(board)
        for when, board in self._events.crashes:
            self._at(when, lambda board=board: self._crash(board))  # type: ignore[misc]  # bound at once
        for when, board, seconds in self._events.losses:
            self._at(when, lambda board=board, seconds=seconds: self._lose(board, seconds))  # type: ignore[misc]
        for when, board, kind in self._events.arrivals:
            self._at(when, lambda board=board, kind=kind: self._arrive(board, kind))  # type: ignore[misc]
        self._look()
        while self._agenda and self._dispatcher.has_unfinished:
            self._now, _, action = heapq.heappop(self._agenda)
            action()
        if self._dispatcher.has_unfinished:
            raise Hang(f"{len(self._dispatcher.queued)} tests are queued and nothing happens")
        return self.outcome

    def _look(self) -> None:
        self._tell(self._dispatcher.give_orders(self._now))
        for board in self._dispatcher.boards_without_worker():
            self._expect(board)

    def _tell(self, orders: Mapping[int, Orders]) -> None:
        for number, order in orders.items():
            worker = self._workers[number]
            for assignment in order.assignments:
                worker.inbox.append((worker.turns, assignment))
                worker.turns += 1
            worker.ends |= order.shut_down
            self._go_on(number)

    # -- workers ------------------------------------------------------------------------------------------

    def _start(self, board: str) -> None:
        number = next(self._number)
        self._workers[number] = _Worker(board)
        self._of_board[board] = number
        self._dispatcher.add_worker(number, board)

    def _expect(self, board: str) -> None:
        def join() -> None:
            self._start(board)
            self._look()

        self._dispatcher.expect(board)
        self._at(self._now + self._events.restart, join)

    def _go_on(self, number: int) -> None:
        worker = self._workers.get(number)
        if worker is None or worker.running is not None:
            return
        if not worker.inbox:
            if worker.ends:
                self._at(self._now, lambda: self._end(number))
                worker.ends = False
            return
        turn, assignment = worker.running = worker.inbox.popleft()
        begins = self._turns.setdefault((number, turn), "begun") == "begun"
        seconds = 0.0
        if begins and not assignment.stands_by:
            if self._first is None:
                self._first = self._now
            boards = assignment.boards or (worker.board,)
            for board in boards:
                assert board not in self._in_use, f"two tests on {board}"
                self._in_use[board] = assignment.test
            seconds = self._seconds(assignment.test, self._kinds[worker.board])
            self.outcome.busy += seconds * len(boards)
            self.outcome.ran += 1
        self._at(self._now + seconds, lambda: self._complete(number, turn))

    def _complete(self, number: int, turn: int) -> None:
        worker = self._workers.get(number)
        if worker is None or worker.running is None or worker.running[0] != turn:
            return  # it crashed meanwhile
        _, assignment = worker.running
        worker.running = None
        if self._turns.pop((number, turn)) == "begun" and not assignment.stands_by:
            self._free(worker, assignment)
            self.outcome.makespan = self._now - (self._first or 0.0)
        began = time.perf_counter()
        self._dispatcher.complete(number, assignment.test)
        orders = self._dispatcher.give_orders(self._now)
        self.outcome.decisions.append(time.perf_counter() - began)
        self._tell(orders)
        self._go_on(number)
        for board in self._dispatcher.boards_without_worker():
            self._expect(board)

    def _free(self, worker: _Worker, assignment: Assignment) -> None:
        for board in assignment.boards or (worker.board,):
            del self._in_use[board]

    def _end(self, number: int) -> None:
        if number in self._workers:
            worker = self._workers.pop(number)
            del self._of_board[worker.board]
            assert self._dispatcher.retire(number) is None
            self._look()

    def _revoke(self, number: int, turn: int) -> bool:
        return self._turns.setdefault((number, turn), "revoked") == "revoked"

    # -- what happens to them -----------------------------------------------------------------------------

    def _crash(self, board: str) -> None:
        number = self._of_board.pop(board, None)
        if number is None:
            return
        worker = self._workers.pop(number)
        if worker.running is not None and not worker.running[1].stands_by:
            self._free(worker, worker.running[1])
        self._dispatcher.retire(number)
        self._expect(board)  # as xdist does
        self._look()

    def _lose(self, board: str, seconds: float) -> None:
        def come_back() -> None:
            self._dispatcher.return_board(board)
            self._look()

        self._dispatcher.lose_board(board)
        self._at(self._now + seconds, come_back)
        self._look()

    def _arrive(self, board: str, kind: str) -> None:
        self._kinds[board] = kind
        fitting = [index for index in range(len(self._work)) if self._fits(index, kind)]
        self._dispatcher.add_board(board, kind, fitting)
        self._look()
