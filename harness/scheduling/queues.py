"""The tests that nobody runs yet, with a queue for each set of boards that they fit.

Boards come and go: one that went away is *awaited* until somebody gives it up, and its tests wait with it
unless another board that they fit is there.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from harness.scheduling.work import NO_BOARD_YET

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from harness.scheduling.work import Boards


class Queues:
    """What is still to be run.

    :ivar awaited: boards that went away and may come back.
    :ivar given_up: boards that went away and are not waited for any more.
    """

    def __init__(self, boards_of: Sequence[Boards]) -> None:
        """Queue every test.

        :param boards_of: for each test, by index, the boards that it fits.
        """
        self.awaited: set[str] = set()
        self.given_up: set[str] = set()
        self._boards_of = list(boards_of)
        self._queues: dict[Boards, deque[int]] = {}
        for index, boards in enumerate(boards_of):
            self._queues.setdefault(boards, deque()).append(index)

    def __len__(self) -> int:
        """Return how many tests are queued."""
        return sum(map(len, self._queues.values()))

    def __contains__(self, index: int) -> bool:
        """Tell whether a test is queued."""
        return index in self._queues.get(self._boards_of[index], ())

    def __iter__(self) -> Iterator[int]:
        """Give the queued tests."""
        for queue in self._queues.values():
            yield from queue

    @property
    def kinds(self) -> list[Boards]:
        """The sets of boards for which tests are queued, in the order of their first test."""
        return [boards for boards, queue in self._queues.items() if queue]

    def boards_of(self, index: int) -> Boards:
        """Return the boards that a test fits."""
        return self._boards_of[index]

    def is_there(self, board: str) -> bool:
        """Tell whether a board can run tests now."""
        return board not in self.awaited and board not in self.given_up

    @property
    def waiting(self) -> int:
        """How many tests wait for the return of a board, since none that they fit is there."""
        return sum(
            len(queue)
            for boards, queue in self._queues.items()
            if boards and not any(map(self.is_there, boards))
        )

    def can_be_run(self, boards: Boards) -> bool:
        """Tell whether tests may still be run that fit these boards: one is there, or awaited."""
        return boards is None or any(board not in self.given_up for board in boards)

    def take(self, boards: Boards) -> int:
        """Take the next test out of a queue."""
        return self._queues[boards].popleft()

    def first_of(self, boards: Boards, *, but: int | None) -> tuple[int, ...]:
        """Return the next test of a queue, if there is one.

        :param but: a test that does not count.
        """
        return tuple(islice((index for index in self._queues.get(boards, ()) if index != but), 1))

    def remove(self, index: int) -> None:
        """Take a test out of its queue."""
        self._queues[self._boards_of[index]].remove(index)

    def put_first(self, index: int) -> None:
        """Put a test in front of its queue."""
        self._queues.setdefault(self._boards_of[index], deque()).appendleft(index)

    # -- boards that come and go --------------------------------------------------------------------------

    def lose(self, board: str) -> None:
        """A board went away."""
        self.given_up.discard(board)
        self.awaited.add(board)

    def give_up(self, board: str) -> None:
        """Wait no longer for a board that went away; nothing happens when it is there."""
        if board in self.awaited:
            self.awaited.discard(board)
            self.given_up.add(board)

    def regain(self, board: str) -> None:
        """A board came back, be it after it was given up."""
        self.awaited.discard(board)
        self.given_up.discard(board)

    def add_board(self, board: str, fitting: Collection[int]) -> None:
        """A board came that nobody knew when the tests were queued.

        :param fitting: the tests that fit it.
        """
        queued = sorted(self) if fitting else []
        for index in fitting:
            self._boards_of[index] = (self._boards_of[index] or NO_BOARD_YET) | {board}
        if queued:  # tests that were put back lose their place in front, no more
            self._queues = {}
            for index in queued:
                self._queues.setdefault(self._boards_of[index], deque()).append(index)

    def take_hopeless(self) -> tuple[int, ...]:
        """Take out the tests that no board can run any more, since all that they fit were given up."""
        return self._take_all([boards for boards in self.kinds if boards and not self.can_be_run(boards)])

    def take_homeless(self) -> tuple[int, ...]:
        """Take out the tests that fit no board."""
        return self._take_all([NO_BOARD_YET] if NO_BOARD_YET in self._queues else [])

    def _take_all(self, kinds: Sequence[Boards]) -> tuple[int, ...]:
        return tuple(sorted(index for boards in kinds for index in self._queues.pop(boards)))
