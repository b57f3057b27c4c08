"""What nobody runs yet, by need, and by expected seconds within each need.

What is handed out as one piece is a *unit*: a test, or a group of tests that are kept together. Tests that
fit the same boards, and take as many, have one *need*. Each need has its units sorted by their expected
seconds once for each kind of board among its boards, and remembers how far it has got: taking the longest is
a step to the right, past those that were taken for another kind of board.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from functools import reduce
from typing import TYPE_CHECKING

from harness.scheduling.estimates import NO_KIND, Estimates
from harness.scheduling.work import NO_BOARD_YET

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from harness.scheduling.estimates import Column
    from harness.scheduling.pressure import Pool
    from harness.scheduling.work import Boards, Work

#: How many units are looked at, at the most, for one that fills a gap.
_GLANCE = 16
_NOWHERE = -1


class Cursor:
    """The units of a need in the order of what is expected of them on one kind of board.

    :ivar column: expected seconds, by unit.
    :ivar total: board-seconds of all that are queued.
    """

    __slots__ = ("at", "column", "order", "total")

    def __init__(self, column: Column[float], units: Iterable[int], count: int) -> None:
        """Sort them; equals stay in the order of the tests."""
        self.column = column
        self.order = array("I", sorted(units, key=column.__getitem__, reverse=True))
        self.at = 0
        self.total = sum(map(column.__getitem__, self.order)) * count


class Need:
    """A set of boards, how many of them are taken at once, and the units that want that.

    How many boards of it are in which state is counted by whoever knows boards
    (:class:`~harness.scheduling.places.Places`).

    :ivar boards: ids of the boards that fit.
    :ivar queued: how many units are queued.
    :ivar special: made for single units, of tests that are not run again where they were.
    :ivar there: how many of the boards are there.
    :ivar awaited: how many of them went away and may come back.
    :ivar fitted: how many of those there have a worker, be it one that ends.
    :ivar serving: how many of those there have a worker that is given tests.
    :ivar expected: for how many of them a worker is expected.
    :ivar in_hands: how many of those there have such a worker, or one is expected.
    :ivar pools: among which boards its work is spread, with what it comes to there, and the share of each.
    :ivar position: where a pool is among them.
    :ivar gathering: for how many units of it boards are being gathered.
    """

    __slots__ = (
        "_cursors",
        "awaited",
        "boards",
        "count",
        "cursors",
        "expected",
        "fitted",
        "gathering",
        "in_hands",
        "number",
        "pools",
        "position",
        "queued",
        "returned",
        "serving",
        "shares",
        "special",
        "there",
        "weights",
        "width",
    )

    def __init__(self, number: int, boards: Boards, count: int, *, special: bool = False) -> None:
        """Want nothing yet."""
        self.number = number
        self.boards = boards
        self.count = count
        self.special = special
        self.width: float = float("inf") if boards is None else len(boards)
        self.queued = 0
        self.returned: deque[int] = deque()
        self.cursors: list[Cursor] = []
        self._cursors: dict[str, Cursor] = {}
        self.there = self.awaited = self.fitted = self.serving = self.expected = self.in_hands = 0
        self.pools: list[Pool] = []
        self.position: dict[Pool, int] = {}
        self.weights: list[Cursor] = []
        self.shares: list[float] = []
        self.gathering = 0

    def cursor(self, kind: str) -> Cursor | None:
        """Return the order of its units for a kind of board, if there is one already."""
        return self._cursors.get(kind)

    def add_cursor(self, kind: str, cursor: Cursor) -> None:
        """Use an order for a kind of board."""
        self._cursors[kind] = cursor
        if cursor not in self.cursors:
            self.cursors.append(cursor)

    @property
    def is_homeless(self) -> bool:
        """Whether there never were as many boards as it takes."""
        return self.boards is not None and len(self.boards) < self.count and not self.special

    @property
    def is_hopeless(self) -> bool:
        """Whether no board can serve it any more, since too many of its boards were given up."""
        return self.boards is not None and not self.is_homeless and self.there + self.awaited < self.count


class Backlog:
    """The units that are queued.

    :ivar estimates: how long they are expected to run.
    :ivar filled: the needs of which a unit is queued, by number.
    :ivar every: all needs.
    """

    def __init__(self, work: Sequence[Work], kinds: Mapping[str, str]) -> None:
        """Queue every test.

        :param work: the tests.
        :param kinds: the kind of each board.
        """
        self._work = work
        self._kinds = dict(kinds)
        self._by_contents: dict[tuple[Boards, int], Need] = {}
        self._by_identity: dict[tuple[int, int], Need] = {}
        self._narrowed: dict[tuple[Boards, int], Need] = {}
        self.every: list[Need] = []
        self.filled: dict[int, Need] = {}
        named: dict[str, list[int]] = {}
        for index, each in enumerate(work):
            if each.group is not None:
                named.setdefault(each.group, []).append(index)
        groups = list(named.values())
        #: The tests of each group that are left, by unit.
        self.members = {len(work) + number: deque(group) for number, group in enumerate(groups)}
        self._whole = {unit: tuple(tests) for unit, tests in self.members.items()}
        self._unit_of = {index: unit for unit, tests in self.members.items() for index in tests}
        self.estimates = Estimates(work, groups)
        self._need_of: list[Need] = [self._intern(each.boards, each.count) for each in work]
        self._need_of += [self._by_contents_or_new(*self._group_need(group)) for group in groups]
        units: dict[int, list[int]] = {}
        self._where = array("i", bytes(4 * len(self._need_of)))
        for unit, need in enumerate(self._need_of):
            grouped = unit in self._unit_of
            self._where[unit] = _NOWHERE if grouped else need.number
            if not grouped:
                units.setdefault(need.number, []).append(unit)
        for number, own in units.items():
            self._fill(self.every[number], own)

    def _group_need(self, tests: Sequence[int]) -> tuple[Boards, int]:
        """Return the boards that all tests of a group fit, and the most that one of them takes."""
        sets = [boards for boards in (self._work[index].boards for index in tests) if boards is not None]
        boards = reduce(frozenset.intersection, sets) if sets else None
        return boards, 1 if boards is None else max(self._work[index].count for index in tests)

    def _intern(self, boards: Boards, count: int) -> Need:
        count = 1 if boards is None else count
        need = self._by_identity.get((id(boards), count))
        if need is None:
            need = self._by_contents_or_new(boards, count)
            self._by_identity[id(boards), count] = need  # the tests keep their sets, so no id is used twice
        return need

    def _by_contents_or_new(self, boards: Boards, count: int) -> Need:
        need = self._by_contents.get((boards, count))
        if need is None:
            need = self._by_contents[boards, count] = self._make(boards, count)
        return need

    def _make(self, boards: Boards, count: int, *, special: bool = False) -> Need:
        need = Need(len(self.every), boards, count, special=special)
        self.every.append(need)
        return need

    def _fill(self, need: Need, units: Sequence[int]) -> None:
        need.queued = len(units)
        if units:
            self.filled[need.number] = need
        kinds = self._kinds.values() if need.boards is None else map(self._kinds.__getitem__, need.boards)
        for kind in dict.fromkeys([*kinds, *([NO_KIND] if need.boards is None else [])]):
            self._sort(need, kind, units)

    def _sort(self, need: Need, kind: str, units: Sequence[int]) -> Cursor:
        column = self.estimates.column(kind)
        cursor = next((one for one in need.cursors if one.column is column), None)
        if cursor is None:
            cursor = Cursor(column, units, need.count)
        need.add_cursor(kind, cursor)
        return cursor

    def cursor(self, need: Need, kind: str) -> Cursor:
        """Return the order of a need's units for a kind of board."""
        cursor = need.cursor(kind)
        return self._sort(need, kind, self.units_of(need)) if cursor is None else cursor

    # -- looking ------------------------------------------------------------------------------------------

    def need_of(self, unit: int) -> Need:
        """Return what a unit needs."""
        return self._need_of[unit]

    def unit_of(self, test: int) -> int:
        """Return the unit to which a test belongs."""
        return self._unit_of.get(test, test)

    def is_queued(self, unit: int) -> bool:
        """Tell whether a unit is queued."""
        return self._where[unit] != _NOWHERE

    def tests_of(self, unit: int) -> tuple[int, ...]:
        """Return the tests of a unit that are left."""
        return tuple(self.members[unit]) if unit in self.members else (unit,)

    def units_of(self, need: Need) -> list[int]:
        """Return the queued units of a need, in the order of their tests."""
        number = need.number
        return [unit for unit, where in enumerate(self._where) if where == number]

    def longest(self, need: Need, cursor: Cursor) -> int:
        """Return the unit of a need that is next: what came back, else the longest; one must be queued."""
        where, number = self._where, need.number
        returned = need.returned
        while returned:
            if where[returned[0]] == number:
                return returned[0]
            returned.popleft()
        order, at = cursor.order, cursor.at
        while where[order[at]] != number:
            at += 1
        cursor.at = at
        return order[at]

    def at_most(self, need: Need, cursor: Cursor, seconds: float) -> int | None:
        """Return a long unit of a need among those that take no more than some seconds."""
        order, column = cursor.order, cursor.column
        first = bisect_left(order, -seconds, lo=cursor.at, key=lambda unit: -column[unit])
        near = order[first : first + _GLANCE]
        return next((unit for unit in near if self._where[unit] == need.number), None)

    def __iter__(self) -> Iterator[int]:
        """Give the queued tests."""
        for unit, where in enumerate(self._where):
            if where != _NOWHERE:
                yield from self.tests_of(unit)

    # -- taking and putting back --------------------------------------------------------------------------

    def take(self, unit: int) -> None:
        """Take a unit out."""
        need = self._need_of[unit]
        self._where[unit] = _NOWHERE
        need.queued -= 1
        if not need.queued:
            del self.filled[need.number]
        for cursor in need.cursors:
            cursor.total -= cursor.column[unit] * need.count

    def put_back(self, unit: int) -> None:
        """Queue a unit once more, before all others of its need."""
        need = self._need_of[unit]
        self._where[unit] = need.number
        need.queued += 1
        self.filled[need.number] = need
        need.returned.appendleft(unit)
        for cursor in need.cursors:
            cursor.total += cursor.column[unit] * need.count

    def put_back_tests(self, unit: int, tests: Collection[int]) -> None:
        """Queue tests of a unit once more, in their order and together with those of it that are queued."""
        if unit in self.members:
            left = set(tests)
            if self.is_queued(unit):
                left.update(self.members[unit])
                self.take(unit)
            self.members[unit] = deque(test for test in self._whole[unit] if test in left)
            self.estimates.shorten(unit, self.members[unit])
        self.put_back(unit)

    def narrow(self, unit: int, boards: Boards, count: int) -> Need:
        """Let a unit that is not queued fit these boards only, and return its need."""
        need = self._narrowed.get((boards, count))
        if need is None:
            need = self._narrowed[boards, count] = self._make(boards, count, special=True)
            for kind in dict.fromkeys(map(self._kinds.__getitem__, boards or ())):
                self._sort(need, kind, ())
        self._need_of[unit] = need
        return need

    # -- a board that nobody knew -------------------------------------------------------------------------

    def add_board(self, board: str, kind: str, fitting: Collection[int]) -> dict[Need, Need]:
        """Let tests fit one more board.

        :param fitting: the tests.
        :return: the needs that the board meets, each with the one that its units were part of before; that
            is the same one, when all of its units fit the board.
        """
        self._kinds[board] = kind
        tests = set(fitting)
        moving: dict[int, list[int]] = {}
        for unit in sorted({self.unit_of(test) for test in tests} | tests):
            if self._fits_whole(unit, tests):
                moving.setdefault(self._need_of[unit].number, []).append(unit)
        together: dict[Need, Need] = {}
        sizes: dict[int, int] = {}
        for need in self._need_of:
            sizes[need.number] = sizes.get(need.number, 0) + 1
        for number, units in moving.items():
            old = self.every[number]
            need = old if len(units) == sizes[number] else self._split(old, units)
            need.boards = (need.boards or NO_BOARD_YET) | {board}
            need.width = len(need.boards)
            self.cursor(need, kind)
            together[need] = old
        self._narrowed = {(need.boards, need.count): need for need in self.every if need.special}
        return together

    def _fits_whole(self, unit: int, tests: Collection[int]) -> bool:
        if unit not in self._whole:
            return unit in tests
        with_board = [test for test in self._whole[unit] if self._work[test].boards is not None]
        return all(test in tests for test in with_board)

    def _split(self, old: Need, units: Sequence[int]) -> Need:
        """Give some units of a need one of their own."""
        need = self._make(old.boards, old.count, special=old.special)
        queued = [unit for unit in units if self.is_queued(unit)]
        for unit in queued:
            self.take(unit)
        for unit in units:
            self._need_of[unit] = need
        for unit in queued:
            self._where[unit] = need.number
        if need.boards:
            self._fill(need, queued)
        elif queued:
            need.queued = len(queued)
            self.filled[need.number] = need
        return need
