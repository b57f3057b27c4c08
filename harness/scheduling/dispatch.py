"""Who runs which test next, whatever workers and boards do.

Pure bookkeeping of indices and names, so that every failure path can be tried by the thousand. The rules:

* A worker has one board or none, and gets only tests that fit.
* Of the tests that fit, a worker takes first those that the fewest living workers could take instead.
* A worker holds two tests, the running one and the next: xdist starts a test only when it knows the next
  one, or that there is none (testbed fact sheet, section 3).
* A worker for which nothing is left is told to shut down, which lets it run the last test that it holds.
* What a crashed worker held goes back to the front of its queue, except for the test that it was running.
* What the worker of a lost board held and had not begun is *revoked* and goes back, too: to boards that fit
  as well, or to wait for the board. xdist cannot take back the last test that it sent, so the worker keeps it
  and passes over it; until its board is back, or given up, the worker gets nothing.
* A board that is there, has no worker and has tests is to be given a worker.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from harness.scheduling.queues import Queues

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from harness.scheduling.work import Boards

WorkerT = TypeVar("WorkerT")
PREFETCH = 2


@dataclass(frozen=True, slots=True)
class Orders:
    """What to tell a worker.

    :ivar tests: indices of tests to run after those that it holds.
    :ivar shut_down: whether nothing will follow.
    """

    tests: tuple[int, ...] = ()
    shut_down: bool = False


@dataclass(slots=True)
class _Sent:
    """A test that was sent to a worker.

    :ivar turn: how many were sent to it before.
    :ivar revoked: the worker is going to pass over it.
    """

    index: int
    turn: int
    revoked: bool = False


@dataclass(slots=True)
class _Worker:
    board: str | None
    sent: deque[_Sent] = field(default_factory=deque)
    turns: int = 0
    shut_down: bool = False

    @property
    def held(self) -> list[_Sent]:
        return [sent for sent in self.sent if not sent.revoked]

    def take(self, index: int) -> None:
        self.sent.append(_Sent(index, self.turns))
        self.turns += 1


class Dispatcher(Generic[WorkerT]):
    """Hands out the tests of one run.

    :ivar queues: the tests that no worker holds and that did not run.
    """

    def __init__(
        self,
        boards_of: Sequence[Boards],
        revoke: Callable[[WorkerT, int], bool] = lambda _worker, _turn: False,
        *,
        restarts: bool = False,
    ) -> None:
        """Queue every test.

        :param boards_of: for each test, by index, the boards that it fits; ``None`` for a test without a
            board, nothing for one that fits no board yet.
        :param revoke: keeps a worker from beginning the test that it was sent at a turn; tells whether it
            was in time.
        :param restarts: whether boards without a worker are given one (:meth:`boards_without_worker`).
        """
        self.queues = Queues(boards_of)
        self._revoke = revoke
        self._restarts = restarts
        self._workers: dict[WorkerT, _Worker] = {}
        self._finished: set[int] = set()
        self._expected: list[str | None] = []
        self._joining: set[str] = set()

    @property
    def workers(self) -> tuple[WorkerT, ...]:
        """The living workers."""
        return tuple(self._workers)

    @property
    def queued(self) -> frozenset[int]:
        """The tests that no worker holds and that did not run."""
        return frozenset(self.queues)

    @property
    def finished(self) -> frozenset[int]:
        """The tests that ran to their end, were running when their worker crashed, or were given up."""
        return frozenset(self._finished)

    def held_by(self, worker: WorkerT) -> tuple[int, ...]:
        """Return the tests that a worker runs or is to run next."""
        return tuple(sent.index for sent in self._workers[worker].held)

    @property
    def has_unfinished(self) -> bool:
        """Whether any test is queued or held."""
        return len(self.queues) > 0 or any(worker.held for worker in self._workers.values())

    @property
    def only_last_tests_left(self) -> bool:
        """Whether every worker may be told to shut down now.

        That is when each holds one test at most, and nothing is queued that a worker could still be given.
        A queue that no living worker fits waits for the replacement of one that crashed, and one whose
        boards went away for their return.
        """
        if any(len(worker.held) >= PREFETCH for worker in self._workers.values()):
            return False
        return not any(self._may_be_served(boards) for boards in self.queues.kinds)

    def _may_be_served(self, boards: Boards) -> bool:
        if boards is None:
            serving = any(not worker.shut_down for worker in self._workers.values())
            return serving or not self._workers or bool(self._expected)
        if any(board in self.queues.awaited or board in self._expected for board in boards):
            return True
        there = {board for board in boards if self.queues.is_there(board)}
        if there and self._restarts:
            return True
        fitting = [worker for worker in self._workers.values() if worker.board in there]
        return bool(there) and (not fitting or any(not worker.shut_down for worker in fitting))

    # -- workers ------------------------------------------------------------------------------------------

    def add_worker(self, worker: WorkerT, board: str | None) -> None:
        """Let a worker take part.

        :param board: id of its board; ``None`` for a worker without one.
        """
        self._workers[worker] = _Worker(board)
        self.expect_no_longer(board)
        if board is not None:
            self._joining.discard(board)

    def expect(self, board: str | None) -> None:
        """A worker was started and is going to take part.

        :param board: id of its board; ``None`` for a worker without one.
        """
        self._expected.append(board)

    def expect_no_longer(self, board: str | None) -> None:
        """A worker that was perhaps expected takes part now, or will not do so."""
        if board in self._expected:
            self._expected.remove(board)

    def boards_without_worker(self) -> list[str]:
        """Return the boards for which a worker is to be started.

        A board that came, or came back, and has tests; and one of those that fit tests which nobody can run
        now. When all of these are awaited, one gets a worker before it is back: workers are slow to start.
        A board whose worker was told to end gets another when that has ended.
        """
        served = {worker.board for worker in self._workers.values() if not worker.shut_down}
        served.update(self._expected)
        ending = {worker.board for worker in self._workers.values() if worker.shut_down}
        wanted: dict[str, None] = {}
        for boards in filter(None, self.queues.kinds):
            missing = sorted(boards - served - ending - self.queues.given_up)
            there = [board for board in missing if self.queues.is_there(board)]
            wanted.update(dict.fromkeys(board for board in there if board in self._joining))
            in_good_hands = boards & (served | wanted.keys())
            if not any(map(self.queues.is_there, in_good_hands)) and (there or not in_good_hands):
                wanted.update(dict.fromkeys((there or missing)[:1]))
        return list(wanted)

    def give_orders(self) -> dict[WorkerT, Orders]:
        """Decide what each worker gets now; the caller tells those that are in the answer.

        Everybody gets a first test before anybody gets a second: the last tests of a run are spread.
        """
        given: dict[WorkerT, list[int]] = {worker: [] for worker in self._workers}
        for depth in range(1, PREFETCH + 1):
            for worker, state in self._workers.items():
                if len(state.held) < depth and not state.shut_down and self._has_best(state):
                    index = self.queues.take(self._best(state))
                    state.take(index)
                    given[worker].append(index)
        orders = {}
        for worker, state in self._workers.items():
            idle = len(state.held) < PREFETCH and not self._has_best(state)
            ends = not state.shut_down and idle and state.board not in self.queues.awaited
            state.shut_down = state.shut_down or ends
            if given[worker] or ends:
                orders[worker] = Orders(tuple(given[worker]), ends)
        return orders

    def _fitting(self, worker: _Worker) -> list[tuple[int, int]]:
        """Return rivals and position of each queue that a worker may be given tests of."""
        return [
            (self._rivals(boards), position)
            for position, boards in enumerate(self.queues.kinds)
            if self._fits(worker, boards)
        ]

    def _has_best(self, worker: _Worker) -> bool:
        return any(self._fits(worker, boards) for boards in self.queues.kinds)

    def _best(self, worker: _Worker) -> Boards:
        _, position = min(self._fitting(worker))
        return self.queues.kinds[position]

    def _fits(self, worker: _Worker, boards: Boards) -> bool:
        if boards is None:
            return worker.board not in self.queues.awaited
        return worker.board in boards and self.queues.is_there(worker.board)

    def _rivals(self, boards: Boards) -> int:
        return sum(self._fits(worker, boards) and not worker.shut_down for worker in self._workers.values())

    def stop(self, worker: WorkerT) -> None:
        """Give a worker nothing more: somebody else has told it to shut down."""
        self._workers[worker].shut_down = True

    def complete(self, worker: WorkerT, index: int) -> None:
        """Note that a worker ran a test to its end, or passed over one that was revoked."""
        sent = self._workers[worker].sent
        done = next(each for each in sent if each.index == index)
        sent.remove(done)
        if not done.revoked:
            self._finished.add(index)

    def retire(self, worker: WorkerT) -> int | None:
        """Take out a worker that ended; what it held goes back to the queues.

        :return: the test that it was running, if it crashed in one; it is not run again.
        """
        held = self._workers[worker].held
        crashed = None
        if held and not self._revoke(worker, held[0].turn):
            crashed = held.pop(0).index
            self._finished.add(crashed)
        del self._workers[worker]
        for sent in reversed(held):
            self.queues.put_first(sent.index)
        return crashed

    def put_back(self, index: int) -> None:
        """Queue a test once more that ran already, for a plugin that asks to run it again."""
        self._finished.discard(index)
        self.queues.put_first(index)

    # -- boards that come and go --------------------------------------------------------------------------

    def lose_board(self, board: str) -> None:
        """A board went away: what its worker has not begun goes to others, or waits."""
        self.queues.lose(board)
        for worker, state in self._workers.items():
            if state.board != board:
                continue
            for sent in reversed(state.held):
                if state.shut_down and self.queues.boards_of(sent.index) is None:
                    continue  # it is going to run without the board
                if self._revoke(worker, sent.turn):
                    sent.revoked = True
                    self.queues.put_first(sent.index)

    def return_board(self, board: str) -> None:
        """A board came back: its worker goes on, or a new one is wanted."""
        self.queues.regain(board)
        self._joining.add(board)

    def add_board(self, board: str, fitting: Collection[int]) -> None:
        """A board came that nobody knew before.

        :param fitting: the tests that fit it.
        """
        self.queues.add_board(board, fitting)
        self._joining.add(board)

    def give_up_board(self, board: str) -> None:
        """Wait no longer for a board that went away."""
        self.queues.give_up(board)

    def take_hopeless(self) -> tuple[int, ...]:
        """Take out the tests that no board can run any more; the caller reports them."""
        hopeless = self.queues.take_hopeless()
        self._finished.update(hopeless)
        return hopeless

    def take_homeless(self) -> tuple[int, ...]:
        """Take out the tests that fit no board, when none can come any more; the caller reports them."""
        homeless = self.queues.take_homeless()
        self._finished.update(homeless)
        return homeless
