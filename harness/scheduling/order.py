"""Which test the one process runs next, while boards come and go: decisions only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.scheduling.queues import Queues

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from harness.scheduling.work import Boards


class Order:
    """The tests of a run in one process: in their order, as long as a board is there for the next one.

    :ivar queues: the tests that were not begun.
    """

    def __init__(self, boards_of: Sequence[Boards]) -> None:
        """Queue every test.

        :param boards_of: for each test, by index, the boards that it fits; ``None`` for a test without a
            board, nothing for one that fits no board yet.
        """
        self.queues = Queues(boards_of)

    def next(self, *, after: int | None = None) -> int | None:
        """Return the first test that can be run now; ``None`` when there is none now.

        :param after: the test that is being run, which does not count.
        """
        ready = (
            index
            for boards in self.queues.kinds
            if boards is None or any(map(self.queues.is_there, boards))
            for index in self.queues.first_of(boards, but=after)
        )
        return min(ready, default=None)

    def begin(self, index: int) -> None:
        """A test is run now."""
        self.queues.remove(index)

    @property
    def waits(self) -> bool:
        """Whether tests are left that a board which went away may still run."""
        return any(boards and self.queues.can_be_run(boards) for boards in self.queues.kinds)

    def lose_board(self, board: str) -> None:
        """A board went away."""
        self.queues.lose(board)

    def return_board(self, board: str) -> None:
        """A board came back."""
        self.queues.regain(board)

    def add_board(self, board: str, fitting: Collection[int]) -> None:
        """A board came that nobody knew before.

        :param fitting: the tests that fit it.
        """
        self.queues.add_board(board, fitting)

    def give_up_board(self, board: str) -> None:
        """Wait no longer for a board that went away."""
        self.queues.give_up(board)
