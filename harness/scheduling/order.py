"""Which test the one process runs next, while boards come and go: decisions only.

A board that went away is *awaited* until somebody gives it up, and its tests wait with it unless enough
others are there that they fit.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from harness.scheduling.work import NO_BOARD_YET

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from harness.scheduling.work import Boards, Work

_Want = tuple["Boards", int]


class Order:
    """The tests of a run in one process: in their order, as long as boards are there for the next one.

    :ivar has_ended: nothing is handed out any more.
    """

    def __init__(self, work: Sequence[Work]) -> None:
        """Queue every test.

        :param work: the tests, by index.
        """
        self._awaited: set[str] = set()
        self._given_up: set[str] = set()
        self._wants: list[_Want] = [(test.boards, test.count) for test in work]
        # Few different wants, many tests: the next test is looked for among the first ones of the former.
        self._queues: dict[_Want, list[int]] = {}
        for index, want in enumerate(self._wants):
            self._queues.setdefault(want, []).append(index)
        self.has_ended = False

    @property
    def queued(self) -> tuple[int, ...]:
        """The tests that were not begun."""
        return tuple(sorted(index for queue in self._queues.values() for index in queue))

    def next(self) -> int | None:
        """Return the first test that can be run now; ``None`` when there is none now."""
        if self.has_ended:
            return None
        return min((queue[0] for want, queue in self._queues.items() if self._is_served(want)), default=None)

    def boards_for(self, index: int) -> tuple[str, ...]:
        """Return the boards that a test could use now, in the order of their ids."""
        boards, _ = self._wants[index]
        return tuple(sorted(filter(self._is_there, boards or NO_BOARD_YET)))

    def begin(self, index: int) -> None:
        """A test is run now."""
        want = self._wants[index]
        queue = self._queues[want]
        del queue[bisect_left(queue, index)]
        if not queue:
            del self._queues[want]

    def put_back(self, index: int, *, not_on: str | None = None) -> None:
        """Queue a test once more that was begun; it keeps its place in the order.

        :param not_on: a board that it is not to run on again.
        """
        boards, count = self._wants[index]
        if boards is not None and not_on is not None:
            self._wants[index] = boards - {not_on}, count
        insort(self._queues.setdefault(self._wants[index], []), index)

    def may_run_elsewhere(self, index: int, board: str) -> bool:
        """Tell whether enough boards are there for a test, not counting one of them."""
        boards, count = self._wants[index]
        return not self.has_ended and boards is not None and self._is_served((boards - {board}, count))

    def end(self) -> None:
        """Hand out nothing more: what was not begun is not run."""
        self.has_ended = True

    # -- boards that come and go --------------------------------------------------------------------------

    def _is_there(self, board: str) -> bool:
        return board not in self._awaited and board not in self._given_up

    def _is_served(self, want: _Want) -> bool:
        boards, count = want
        return boards is None or sum(map(self._is_there, boards)) >= count

    def _is_hopeless(self, want: _Want) -> bool:
        """Tell whether boards that were given up are missing; one for whom there never were enough waits."""
        boards, count = want
        return boards is not None and len(boards) >= count > len(boards - self._given_up)

    def _is_homeless(self, want: _Want) -> bool:
        boards, count = want
        return boards is not None and len(boards) < count

    @property
    def waiting(self) -> int:
        """How many tests wait for the return of a board, since too few that they fit are there."""
        return sum(
            len(queue)
            for want, queue in self._queues.items()
            if not self._is_served(want) and not self._is_homeless(want)
        )

    @property
    def waits(self) -> bool:
        """Whether tests are left that boards which went away may still run."""
        return not self.has_ended and any(
            not self._is_homeless(want) and not self._is_hopeless(want)
            for want in self._queues
            if want[0] is not None
        )

    def lose_board(self, board: str) -> None:
        """A board went away."""
        self._given_up.discard(board)
        self._awaited.add(board)

    def return_board(self, board: str) -> None:
        """A board came back, be it after it was given up."""
        self._awaited.discard(board)
        self._given_up.discard(board)

    def give_up_board(self, board: str) -> None:
        """Wait no longer for a board that went away; nothing happens when it is there."""
        if board in self._awaited:
            self._awaited.discard(board)
            self._given_up.add(board)

    def add_board(self, board: str, fitting: Collection[int]) -> None:
        """A board came that nobody knew before.

        :param fitting: the tests that fit it.
        """
        queued = self.queued
        for index in fitting:
            boards, count = self._wants[index]
            self._wants[index] = (boards or NO_BOARD_YET) | {board}, count
        self._queues = {}
        for index in queued:
            self._queues.setdefault(self._wants[index], []).append(index)

    def take_hopeless(self) -> tuple[int, ...]:
        """Take out the tests that no boards can run any more, since too many that they fit were given up."""
        return self._take(self._is_hopeless)

    def take_homeless(self) -> tuple[int, ...]:
        """Take out the tests for which there never were enough boards."""
        return self._take(self._is_homeless)

    def _take(self, concerned: Callable[[_Want], bool]) -> tuple[int, ...]:
        wants = [want for want in self._queues if concerned(want)]
        return tuple(sorted(index for want in wants for index in self._queues.pop(want)))
