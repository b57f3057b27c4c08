"""What a free place does next: the rule, without doing anything about it.

* The longest first, as long as it is expected to take on this kind of board.
* But nothing that can as well be done where less is left to do: who is pressed keeps to its own work.
* A test of several boards before others, when enough of its boards are free just now: it is hard to place,
  and when it ends its boards are free together for the next one.
* When they are not, it waits, until waiting longer would delay the end of everything. Then boards are
  gathered for it, and those that are free before the last of them do what is short enough meanwhile.
"""

from __future__ import annotations

from heapq import nsmallest
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.scheduling.backlog import Backlog, Cursor, Need
    from harness.scheduling.places import Place, Places

#: Levels that differ by less than this share are taken for equal.
_TOLERANCE = 0.01
#: At how many boards is looked, at the most, for those that are free soonest.
_GLANCE = 256


class Pick(NamedTuple):
    """A unit that a place could begin.

    :ivar need: what it needs.
    :ivar unit: which it is.
    :ivar seconds: how long it is expected to run there.
    """

    need: Need
    unit: int
    seconds: float


class Choice:
    """Looks for what a place does next."""

    def __init__(self, backlog: Backlog, places: Places) -> None:
        """Choose from a backlog.

        :param places: where it can be run.
        """
        self._backlog = backlog
        self._places = places

    def single(self, place: Place) -> Pick | None:
        """Return the unit that a place should begin, of those that take one board or none."""
        longest = self._backlog.longest
        if not place.is_there:
            return self._anywhere(place)
        level = place.sort.pool.level
        best: tuple[Need, int, float] | None = None
        own = 0.0
        for need, cursor in place.singles:
            if need.queued:
                own += 0.0 if need.special else cursor.total
                unit = longest(need, cursor)
                best = _better(best, need, unit, cursor.column[unit])
        if best is not None and own >= level:
            return Pick(*best)
        floor = level - _TOLERANCE * level - 1e-9
        other: tuple[float, Need, Cursor] | None = None
        for need, cursor in place.sort.singles:
            if not need.queued:
                continue
            if need.lowest < floor and len(need.pools) > 1:
                if other is None or need.lowest > other[0]:
                    other = need.lowest, need, cursor
                continue
            unit = longest(need, cursor)
            best = _better(best, need, unit, cursor.column[unit])
        if best is None and other is not None:  # better than to be idle
            _, need, cursor = other
            unit = longest(need, cursor)
            best = need, unit, cursor.column[unit]
        return None if best is None else Pick(*best)

    def _anywhere(self, place: Place) -> Pick | None:
        """Return a test without a board, for a worker whose board is gone for good."""
        for need, cursor in place.sort.singles:
            if need.boards is None and need.queued:
                unit = self._backlog.longest(need, cursor)
                return Pick(need, unit, cursor.column[unit])
        return None

    def filler(self, place: Place, seconds: float) -> Pick | None:
        """Return a unit that a place can begin and end within a gap."""
        best: tuple[Need, int, float] | None = None
        for need, cursor in (*place.singles, *place.sort.singles):
            unit = self._backlog.at_most(need, cursor, seconds) if need.queued else None
            if unit is not None:
                best = _better(best, need, unit, cursor.column[unit])
        return None if best is None else Pick(*best)

    def multi(self, place: Place, single: Pick | None) -> tuple[Pick, list[Place]] | None:
        """Return a unit of several boards that a place should begin, or gather boards for.

        :param single: what it would do otherwise.
        :return: the unit, and the other boards.
        """
        pick = self._largest(place.multis, None)
        pick = self._largest(place.sort.multis, pick)
        if pick is None:
            return None
        need, _unit, seconds = pick
        others = list(islice(self._places.idle_for(need, but=place), need.count - 1))
        level = place.sort.pool.level
        if len(others) == need.count - 1:
            fits = single is None or single.seconds + seconds <= level
            return (pick, others) if fits else None
        if need.gathering or (single is not None and self._chain(place) + single.seconds <= level):
            return None
        others = self._soonest(need, place)
        return (pick, others) if len(others) == need.count - 1 else None

    def _largest(self, entries: Iterable[tuple[Need, Cursor]], best: Pick | None) -> Pick | None:
        """Return the unit that takes the most board-seconds."""
        for need, cursor in entries:
            if need.queued and need.there >= need.count:
                unit = self._backlog.longest(need, cursor)
                seconds = cursor.column[unit]
                if best is None or seconds * need.count > best.seconds * best.need.count:
                    best = Pick(need, unit, seconds)
        return best

    def _chain(self, place: Place) -> float:
        """Return how long the tests of several boards take that are left for a place, side by side."""
        return sum(
            cursor.total / need.count / (need.there // need.count)
            for need, cursor in (*place.multis, *place.sort.multis)
            if need.queued and need.there >= need.count
        )

    def _soonest(self, need: Need, place: Place) -> list[Place]:
        """Return the other boards that are free soonest; fewer when too many are reserved."""
        there = (one for one in self._places.places_of(need) if one.is_there)
        usable = (one for one in there if not one.reserved and one is not place)
        return nsmallest(need.count - 1, islice(usable, _GLANCE), key=lambda one: one.until or 0.0)

    def has_work(self, place: Place) -> bool:
        """Tell whether anything is queued that a place may be given, now or later."""
        sort = place.sort
        if not place.is_there:
            return any(need.queued and need.boards is None for need, _cursor in sort.singles)
        for need, _cursor in sort.singles:
            if need.queued:
                return True
        for need, _cursor in place.singles:
            if need.queued:
                return True
        return any(
            need.queued and need.there + need.awaited >= need.count
            for need, _cursor in (*place.multis, *sort.multis)
        )


def _better(
    best: tuple[Need, int, float] | None, need: Need, unit: int, seconds: float
) -> tuple[Need, int, float]:
    """Return which of two units comes first: the longer one, of equals that which fewer boards fit."""
    if best is None or seconds > best[2]:
        return need, unit, seconds
    if seconds == best[2] and (need.width, unit) < (best[0].width, best[1]):
        return need, unit, seconds
    return best
