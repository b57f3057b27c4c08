"""Boards that turn out to be unfit while tests of several boards gather theirs: nothing waits for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from harness.scheduling.dispatch import Dispatcher
from harness.scheduling.work import Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.scheduling.work import Assignment

BOARDS = ("a", "b", "c", "d")
COUNTS = st.lists(st.tuples(st.integers(1, 4), st.sampled_from([0.01, 0.2, 1.0])), min_size=1, max_size=7)


class Farm:
    """Workers that do what they are told, one step at a time; those that are told to end are replaced."""

    def __init__(self, work: Sequence[Work], unfit: set[str]) -> None:
        self.dispatcher: Dispatcher[str] = Dispatcher(work, dict.fromkeys(BOARDS, "k"), restarts=True)
        self.unfit = unfit
        self.ran: list[int] = []
        self.hopeless: list[int] = []
        self._inboxes: dict[str, list[Assignment]] = {}
        self._ending: set[str] = set()
        self._found: set[str] = set()
        for board in BOARDS:
            self._start(board)
        self._decide()

    def _start(self, board: str) -> None:
        worker = f"{board}{len(self._inboxes)}"
        self._inboxes[worker] = []
        self.dispatcher.add_worker(worker, board)

    def _decide(self) -> None:
        self.hopeless.extend(self.dispatcher.take_hopeless())
        for worker, orders in self.dispatcher.give_orders().items():
            self._inboxes[worker] += orders.assignments
            if orders.shut_down:
                self._ending.add(worker)

    @property
    def busy(self) -> list[str]:
        """The workers that have something to do, or are about to end."""
        return [name for name in self.dispatcher.workers if self._inboxes[name] or name in self._ending]

    def step(self, worker: str) -> None:
        """Let a worker do what it has to do next."""
        board = worker[0]
        if not self._inboxes[worker]:
            self._ending.discard(worker)
            self.dispatcher.retire(worker)
            for bare in self.dispatcher.boards_without_worker():
                self._start(bare)
        else:
            assignment = self._inboxes[worker].pop(0)
            self.dispatcher.complete(worker, assignment.test, declined=board in self.unfit)
            if board not in self.unfit:
                self.ran += [] if assignment.stands_by else [assignment.test]
            elif board not in self._found:
                self._found.add(board)
                self.dispatcher.lose_board(board)
                self.dispatcher.give_up_board(board)
        self._decide()


@given(COUNTS, st.sets(st.sampled_from(BOARDS), max_size=3), st.data())
def test_all_that_enough_boards_are_left_for_is_run(
    tests: list[tuple[int, float]], unfit: set[str], data: st.DataObject
) -> None:
    """Boards that decline are given up; the others run what they are enough for, and nothing waits."""
    work = [Work(boards=frozenset(BOARDS), count=count, seconds=seconds) for count, seconds in tests]
    farm = Farm(work, unfit)

    while farm.dispatcher.has_unfinished:
        assert farm.busy, f"everybody waits: {farm.dispatcher.queued}"
        farm.step(data.draw(st.sampled_from(farm.busy)))

    enough = {index for index, each in enumerate(work) if each.count <= len(BOARDS) - len(unfit)}
    assert sorted(farm.ran + farm.hopeless) == list(range(len(work)))
    assert enough <= set(farm.ran)
