"""The places at which tests are run: boards, and workers without one.

What a decision has to know of many boards is counted here whenever something happens to one of them, so that
it need not look at all of them.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from harness.scheduling.estimates import NO_KIND
from harness.scheduling.pressure import Balance, Pool

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from harness.scheduling.backlog import Backlog, Cursor, Need

    Entry = tuple[Need, Cursor]

#: More sorts of boards than these are not told apart when work is spread: at first not those that differ in
#: tests for one board, then not those of one kind.
_SORTS = 64


class Status(Enum):
    """Whether a board can be used."""

    THERE = auto()
    AWAITED = auto()
    GIVEN_UP = auto()


class Sort:
    """Boards of one kind that meet the same needs.

    :ivar pool: where work for them is counted.
    :ivar singles: the needs of tests that take one board, with the order of their tests.
    :ivar multis: those of tests that take several.
    :ivar idle: the places that could be used at once.
    """

    __slots__ = ("idle", "kind", "multis", "places", "pool", "singles")

    def __init__(self, kind: str, pool: Pool) -> None:
        """Have no place."""
        self.kind = kind
        self.pool = pool
        self.singles: list[Entry] = []
        self.multis: list[Entry] = []
        self.idle: dict[Place, None] = {}
        self.places: list[Place] = []

    @property
    def signature(self) -> tuple[object, ...]:
        """What tells it from other sorts."""
        return (self.kind, *sorted(need.number for need in self.needs))

    @property
    def needs(self) -> Iterator[Need]:
        """The needs that these boards meet, except for those of tests without a board."""
        for need, _cursor in (*self.singles, *self.multis):
            if need.boards is not None:
                yield need


class Place:
    """A board, or the place of a worker without one.

    :ivar board: id of the board; ``None`` for a place without one.
    :ivar singles: the needs of tests that take one board and that this board alone meets, or few.
    :ivar multis: the same of tests that take several boards.
    :ivar workers: how many workers have it; one of them is given tests.
    :ivar open: whether the first of these is given tests.
    :ivar expected: how many workers are expected.
    :ivar until: when it is expected to be free; ``None`` when it is.
    :ivar reserved: whether a test of several boards has it.
    """

    __slots__ = (
        "_counted",
        "board",
        "expected",
        "multis",
        "open",
        "reserved",
        "singles",
        "sort",
        "status",
        "until",
        "workers",
    )

    def __init__(self, board: str | None, sort: Sort) -> None:
        """Be there, with nobody to use it."""
        self.board = board
        self.sort = sort
        self.status = Status.THERE
        self.singles: list[Entry] = []
        self.multis: list[Entry] = []
        self.workers = 0
        self.open = False
        self.expected = 0
        self.until: float | None = None
        self.reserved = False
        self._counted = (0, 0, 0, 0, 0, 0)

    @property
    def is_there(self) -> bool:
        """Whether it can be used."""
        return self.status is Status.THERE

    @property
    def needs(self) -> Iterator[Need]:
        """The needs that it meets, except for those of tests without a board."""
        yield from self.sort.needs
        for need, _cursor in (*self.singles, *self.multis):
            yield need

    def count(self) -> None:
        """Bring what the needs count in line with it.

        :param but: a need that is counted apart.
        """
        there = self.status is Status.THERE
        serving = there and self.workers > 0 and self.open
        counted = (
            int(there),
            int(self.status is Status.AWAITED),
            int(there and self.workers > 0),
            int(serving),
            int(self.expected > 0),
            int(serving or (there and self.expected > 0)),
        )
        changes = [now - before for now, before in zip(counted, self._counted, strict=True)]
        if any(changes):
            for need in self.needs:
                _add(need, changes)
            boards = changes[0] if self.board is not None else changes[3]
            self.sort.pool.boards += boards
            self._counted = counted
        self.note_idle()

    def add(self, need: Need, cursor: Cursor) -> None:
        """Meet one more need than others of its sort do; nothing happens when it does so already."""
        own = self.singles if need.count == 1 else self.multis
        if all(one is not need for one, _cursor in own):
            own.append((need, cursor))
            self.count_for(need)

    def count_for(self, need: Need) -> None:
        """Let a need that it meets from now on count it."""
        _add(need, self._counted)

    def forget_special(self) -> None:
        """Meet no longer what was made for single units and is empty."""
        for own in (self.singles, self.multis):
            for need, _cursor in own:
                if need.special and not need.queued:
                    _add(need, [-number for number in self._counted])
            own[:] = [entry for entry in own if entry[0].queued or not entry[0].special]

    def note_idle(self) -> None:
        """Bring the list of idle places in line with it."""
        usable = self.status is Status.THERE and (self.open or not self.workers)
        if usable and self.until is None and not self.reserved and self.board is not None:
            self.sort.idle[self] = None
        else:
            self.sort.idle.pop(self, None)

    def occupy(self, until: float) -> None:
        """Note when it is expected to be free."""
        pool = self.sort.pool
        if self.until is None:
            pool.busy += 1
        else:
            pool.until -= self.until
        pool.until += until
        self.until = until
        self.note_idle()

    def vacate(self) -> None:
        """Note that it is free."""
        if self.until is not None:
            self.sort.pool.busy -= 1
            self.sort.pool.until -= self.until
            self.until = None
        self.note_idle()


def _add(need: Need, changes: Collection[int]) -> None:
    there, awaited, fitted, serving, expected, in_hands = changes
    need.there += there
    need.awaited += awaited
    need.fitted += fitted
    need.serving += serving
    need.expected += expected
    need.in_hands += in_hands


class Places:
    """All places of a session.

    :ivar boards: the places that are boards, by their ids.
    :ivar balance: how pressed they are.
    """

    def __init__(self, backlog: Backlog, kinds: Mapping[str, str]) -> None:
        """Sort the boards.

        :param backlog: what is to be run on them.
        :param kinds: the kind of each board that a test fits, or that is in the session.
        """
        self._backlog = backlog
        self.balance = Balance()
        few = 0  # the needs that no more boards meet belong to these boards, and make no sort of their own
        needs_of, signatures = _sign(backlog, kinds, few)
        if len(set(signatures.values())) > _SORTS:
            few = 1
            needs_of, signatures = _sign(backlog, kinds, few)
        self._coarse = len(set(signatures.values())) > _SORTS
        self._pools: dict[str, Pool] = {}
        self._sorts: dict[tuple[object, ...], Sort] = {}
        self.boards: dict[str, Place] = {}
        self._sorts_of: dict[Need, dict[Sort, None]] = {}
        self._seats = self._new_sort(NO_KIND, [])
        for board, signature in signatures.items():
            sort = self._sorts.get(signature) or self._make_sort(kinds[board], needs_of[board])
            place = self.boards[board] = Place(board, sort)
            sort.places.append(place)
            place.count()
        for need in backlog.every:
            if need.boards is not None and need.width <= few:
                self._attach(need)
            if need.boards is None or need.width > 0:
                self._spread(need)

    def _make_sort(self, kind: str, needs: Collection[Need]) -> Sort:
        sort = self._new_sort(kind, needs)
        self._sorts[sort.signature] = sort
        return sort

    def _new_sort(self, kind: str, needs: Collection[Need]) -> Sort:
        pool = (self._pools.get(kind) if self._coarse else None) or Pool()
        self._pools[kind] = pool
        sort = Sort(kind, pool)
        anywhere = [need for need in self._backlog.every if need.boards is None]
        for need in sorted([*needs, *anywhere], key=lambda need: (need.width, need.number)):
            self._give(sort, need)
        return sort

    def _give(self, sort: Sort, need: Need) -> None:
        entry = (need, self._backlog.cursor(need, sort.kind))
        (sort.singles if need.count == 1 else sort.multis).append(entry)
        self._sorts_of.setdefault(need, {})[sort] = None

    def _attach(self, need: Need) -> None:
        """Give a need to its boards one by one."""
        for board in need.boards or ():
            place = self.boards[board]
            place.add(need, self._backlog.cursor(need, place.sort.kind))

    def _spread(self, need: Need) -> None:
        """Count the work of a need in the pools of its boards."""
        pools: dict[Pool, Cursor] = {}
        for sort in self._sorts_of.get(need, ()):
            pools.setdefault(sort.pool, self._backlog.cursor(need, sort.kind))
        if not pools:
            for board in need.boards or ():
                sort = self.boards[board].sort
                pools.setdefault(sort.pool, self._backlog.cursor(need, sort.kind))
        if pools:
            need.pools, need.weights = list(pools), list(pools.values())
            need.position = {pool: at for at, pool in enumerate(pools)}
            need.shares = [0.0] * len(pools)
            self.balance.add(need)

    # -- looking ------------------------------------------------------------------------------------------

    def places_of(self, need: Need, pool: Pool | None = None) -> Iterator[Place]:
        """Give the boards that meet a need.

        :param pool: those of it alone.
        """
        sorts = self._sorts_of.get(need) if pool is not None else None
        if sorts is not None:
            for sort in sorts:
                if sort.pool is pool:
                    yield from sort.places
            return
        for board in need.boards or ():
            place = self.boards[board]
            if pool is None or place.sort.pool is pool:
                yield place

    def idle(self, need: Need) -> int:
        """Return how many boards that meet a need could be used at once, or more."""
        sorts = self._sorts_of.get(need)
        return need.there if sorts is None else sum(len(sort.idle) for sort in sorts)

    def idle_for(self, need: Need, pool: Pool) -> Iterator[Place]:
        """Give the boards of a pool that meet a need and could be used at once."""
        sorts = self._sorts_of.get(need)
        if sorts is None:
            yield from (place for place in self.places_of(need, pool) if place in place.sort.idle)
            return
        for sort in sorts:
            if sort.pool is pool:
                yield from sort.idle

    # -- places that come ---------------------------------------------------------------------------------

    def make_seat(self) -> Place:
        """Make a place without a board."""
        return Place(None, self._seats)

    def add_special(self, need: Need) -> None:
        """Let boards run the units, queued again, of tests that are not run where they were."""
        for place in self.places_of(need):
            place.forget_special()
        self._attach(need)
        if need.count > 1 and not need.pools:  # who gathers boards for it looks for them there
            self._spread(need)

    def add_board(self, board: str, kind: str, fitting: Collection[int]) -> Place:
        """Add a board that nobody knew.

        :param fitting: the tests that fit it.
        """
        together = self._backlog.add_board(board, kind, fitting)
        for need, old in together.items():
            if need is not old:
                self._follow(need, old)
        needs = [need for need in together if need in self._sorts_of]
        signature = (kind, *sorted(need.number for need in needs))
        sort = self._sorts.get(signature)
        if sort is None:
            self._coarse = self._coarse or len(self._sorts) > _SORTS
            sort = self._make_sort(kind, needs)
        place = self.boards[board] = Place(board, sort)
        sort.places.append(place)
        place.count()
        for need in together:
            if need not in self._sorts_of:
                self._attach(need)
        for need in together:
            self._renew(need)
        for need in self._backlog.every:
            if need.boards is None:
                self._renew(need)
        return place

    def _follow(self, need: Need, old: Need) -> None:
        """Give a need that was split off to the boards that meet the old one."""
        for sort in self._sorts_of.get(old, ()):
            self._give(sort, need)
            for place in sort.places:
                place.count_for(need)
        if old not in self._sorts_of:
            for place in self.places_of(old):
                place.add(need, self._backlog.cursor(need, place.sort.kind))
        self._sorts = {sort.signature: sort for sort in self._sorts.values()}

    def _renew(self, need: Need) -> None:
        """Spread the work of a need anew, over one pool more."""
        self.balance.forget(need)
        self._spread(need)


def _sign(
    backlog: Backlog, kinds: Mapping[str, str], few: int
) -> tuple[dict[str, list[Need]], dict[str, tuple[object, ...]]]:
    """Return the needs that each board meets, and what tells it from boards of other sorts.

    :param few: needs that no more boards than these meet are left out.
    """
    needs_of: dict[str, list[Need]] = {board: [] for board in kinds}
    for need in backlog.every:
        for board in need.boards or () if need.width > few else ():
            needs_of[board].append(need)
    return needs_of, {board: (kinds[board], *(need.number for need in needs_of[board])) for board in kinds}
