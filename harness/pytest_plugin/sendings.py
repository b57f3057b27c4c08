"""What the controller has sent to its workers and has not heard the end of."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.pytest_plugin.turns import Turns
    from harness.scheduling.work import Assignment, Orders


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


class _Sent:
    """What one worker was sent.

    :ivar turns: how many tests, over all.
    :ivar open: turn and test of those that it is not done with.
    """

    def __init__(self) -> None:
        self.turns = 0
        self.open: deque[tuple[int, Assignment]] = deque()


class Sendings:
    """Counts the turns of each worker, and says more of a turn where its test takes several boards."""

    def __init__(self, turns: Turns) -> None:
        """Nothing was sent yet.

        :param turns: where controller and workers say what they are about to do.
        """
        self._turns = turns
        self._sent: dict[WorkerController, _Sent] = {}
        self._runs: dict[int, tuple[WorkerController, Assignment]] = {}

    def send(self, node: WorkerController, orders: Orders) -> None:
        """Tell a worker what to do; of one that has just died xdist says so in a moment.

        :param node: the worker.
        :param orders: tests to run, and whether it is to end then.
        """
        sent = self._sent.setdefault(node, _Sent())
        for assignment in orders.assignments:
            if assignment.boards or assignment.stands_by:
                self._turns.tell(node.gateway.id, sent.turns, assignment)
            if not assignment.stands_by:
                self._runs[assignment.test] = (node, assignment)
            sent.open.append((sent.turns, assignment))
            sent.turns += 1
        with suppress(OSError):
            if orders.assignments:
                node.send_runtest_some([assignment.test for assignment in orders.assignments])
            if orders.shut_down:
                node.shutdown()

    def revoke(self, node: WorkerController, turn: int) -> bool:
        """Keep a worker from beginning what it was sent at a turn; tell whether that was in time.

        :param node: the worker.
        :param turn: how many tests were sent to it before.
        """
        return self._turns.claim(node.gateway.id, turn)

    def end(self, node: WorkerController, test: int) -> tuple[Assignment, str | None]:
        """A worker is done with a test: it ran it, passed over it, or declined it.

        :param node: the worker.
        :param test: number of the test.
        :return: what it had been sent, and why it declined if it did.
        """
        while True:  # in their order, as they were sent
            turn, assignment = self._sent[node].open.popleft()
            self._runs_no_longer(node, assignment)
            if assignment.test == test:
                return assignment, self._turns.declined(node.gateway.id, turn)

    def died_taking_down(self, node: WorkerController) -> int | None:
        """Return after which test a worker that ended took down what it shared; ``None`` if it did not.

        :param node: the worker.
        """
        return self._turns.died_taking_down(node.gateway.id)

    def forget(self, node: WorkerController) -> None:
        """A worker has ended."""
        sent = self._sent.pop(node, None)
        for _, assignment in sent.open if sent is not None else ():
            self._runs_no_longer(node, assignment)

    def _runs_no_longer(self, node: WorkerController, assignment: Assignment) -> None:
        runs = self._runs.get(assignment.test)
        if runs is not None and runs[0] is node and not assignment.stands_by:
            del self._runs[assignment.test]

    def running(self, test: int) -> tuple[WorkerController, Assignment] | None:
        """Return who runs a test, or is about to, and what it was sent; ``None`` when nobody does."""
        return self._runs.get(test)
