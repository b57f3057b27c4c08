"""Who runs which test next, with a queue for each set of boards that tests fit.

Pure bookkeeping of indices and names, so that every failure path can be tried by the thousand. The rules:

* A worker has one board or none, and gets only tests that fit.
* Of the tests that fit, a worker takes first those that the fewest living workers could take instead.
* A worker holds two tests, the running one and the next: xdist starts a test only when it knows the next
  one, or that there is none (testbed fact sheet, section 3).
* A worker for which nothing is left is told to shut down, which lets it run the last test that it holds.
* What a crashed worker held goes back to the front of its queue, except for the test that it was running.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

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
class _Worker:
    board: str | None
    held: deque[int] = field(default_factory=deque)
    shut_down: bool = False


class Dispatcher(Generic[WorkerT]):
    """Hands out the tests of one run.

    :ivar boards_of: for each test the ids of boards that it fits; ``None`` for a test without a board.
    """

    def __init__(self, boards_of: Sequence[frozenset[str] | None]) -> None:
        """Queue every test.

        :param boards_of: for each test, by index, the boards that it fits.
        """
        self.boards_of = tuple(boards_of)
        self._queues: dict[frozenset[str] | None, deque[int]] = {}
        for index, boards in enumerate(self.boards_of):
            self._queues.setdefault(boards, deque()).append(index)
        self._workers: dict[WorkerT, _Worker] = {}
        self._finished: set[int] = set()

    @property
    def workers(self) -> tuple[WorkerT, ...]:
        """The living workers."""
        return tuple(self._workers)

    @property
    def queued(self) -> frozenset[int]:
        """The tests that no worker holds and that did not run."""
        return frozenset(index for queue in self._queues.values() for index in queue)

    @property
    def finished(self) -> frozenset[int]:
        """The tests that ran to their end or were running when their worker crashed."""
        return frozenset(self._finished)

    def held_by(self, worker: WorkerT) -> tuple[int, ...]:
        """Return the tests that a worker runs or is to run next."""
        return tuple(self._workers[worker].held)

    @property
    def has_unfinished(self) -> bool:
        """Whether any test is queued or held."""
        return any(self._queues.values()) or any(worker.held for worker in self._workers.values())

    @property
    def only_last_tests_left(self) -> bool:
        """Whether every worker may be told to shut down now.

        That is when each holds one test at most, and nothing is queued that a worker could still be given.
        A queue that no living worker fits waits for the replacement of one that crashed.
        """
        if any(len(worker.held) >= PREFETCH for worker in self._workers.values()):
            return False
        return not any(queue and self._may_be_served(boards) for boards, queue in self._queues.items())

    def _may_be_served(self, boards: frozenset[str] | None) -> bool:
        fitting = [worker for worker in self._workers.values() if _fits(worker, boards)]
        return not fitting or any(not worker.shut_down for worker in fitting)

    def add_worker(self, worker: WorkerT, board: str | None) -> None:
        """Let a worker take part.

        :param board: id of its board; ``None`` for a worker without one.
        """
        self._workers[worker] = _Worker(board)

    def give_orders(self) -> dict[WorkerT, Orders]:
        """Decide what each worker gets now; the caller tells those that are in the answer.

        Everybody gets a first test before anybody gets a second: the last tests of a run are spread.
        """
        given: dict[WorkerT, list[int]] = {worker: [] for worker in self._workers}
        for depth in range(1, PREFETCH + 1):
            for worker, state in self._workers.items():
                queue = self._best_queue(state) if len(state.held) < depth and not state.shut_down else None
                if queue is not None:
                    index = queue.popleft()
                    state.held.append(index)
                    given[worker].append(index)
        orders = {}
        for worker, state in self._workers.items():
            ends = not state.shut_down and len(state.held) < PREFETCH and self._best_queue(state) is None
            state.shut_down = state.shut_down or ends
            if given[worker] or ends:
                orders[worker] = Orders(tuple(given[worker]), ends)
        return orders

    def _best_queue(self, worker: _Worker) -> deque[int] | None:
        fitting = [
            (self._rivals(boards), position)
            for position, (boards, queue) in enumerate(self._queues.items())
            if queue and _fits(worker, boards)
        ]
        if not fitting:
            return None
        _, position = min(fitting)
        return list(self._queues.values())[position]

    def _rivals(self, boards: frozenset[str] | None) -> int:
        return sum(_fits(worker, boards) and not worker.shut_down for worker in self._workers.values())

    def stop(self, worker: WorkerT) -> None:
        """Give a worker nothing more: somebody else has told it to shut down."""
        self._workers[worker].shut_down = True

    def complete(self, worker: WorkerT, index: int) -> None:
        """Note that a worker ran a test to its end."""
        self._workers[worker].held.remove(index)
        self._finished.add(index)

    def retire(self, worker: WorkerT) -> int | None:
        """Take out a worker that ended; what it held goes back to the queues.

        :return: the test that it was running, if it crashed in one; it is not run again.
        """
        held = self._workers.pop(worker).held
        crashed = held.popleft() if held else None
        if crashed is not None:
            self._finished.add(crashed)
        for index in reversed(held):
            self._queues[self.boards_of[index]].appendleft(index)
        return crashed

    def put_back(self, index: int) -> None:
        """Queue a test once more that ran already, for a plugin that asks to run it again."""
        self._finished.discard(index)
        self._queues[self.boards_of[index]].appendleft(index)


def _fits(worker: _Worker, boards: frozenset[str] | None) -> bool:
    return boards is None or worker.board in boards
