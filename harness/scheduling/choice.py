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
    from collections.abc import Collection

    from harness.scheduling.backlog import Backlog, Need
    from harness.scheduling.places import Place, Places
    from harness.scheduling.pressure import Pool

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
        pool = place.sort.pool
        other: tuple[Need, int, float] | None = None
        for need, cursor in place.sort.singles:
            if not need.queued:
                continue
            unit = longest(need, cursor)
            seconds = cursor.column[unit]
            if len(need.pools) == 1 or has_room(need, pool, seconds):
                best = _better(best, need, unit, seconds)
            else:
                other = _better(other, need, unit, seconds)
        found = best or other  # what others should rather do is better than to be idle
        return None if found is None else Pick(*found)

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
        level = place.sort.pool.level
        first = 0.0 if single is None else single.seconds
        chain: float | None = None
        for pick in self._multis(place):
            need = pick.need
            late = first + pick.seconds > level  # one of them is over too late, whichever is done second
            now = not late or pick.seconds >= first
            if not now or self._places.idle(need) < need.count:
                if need.gathering:
                    continue
                chain = self._chain(place) if chain is None else chain
                if single is not None and (not now or (not late and first + chain <= level)):
                    continue
            others, idle = self._others(pick, place, keen=single is None)
            if len(others) == need.count - 1 and (idle or not need.gathering):
                return pick, others
        return None

    def _others(self, pick: Pick, place: Place, *, keen: bool) -> tuple[list[Place], bool]:
        """Return the boards that are to join a place for a unit, and whether they could at once.

        :param keen: whether the place has nothing else to do; otherwise there are none when it is better done
            by others altogether.
        """
        need = pick.need
        wanted = composition(need, pick.seconds)
        own = place.sort.pool
        if not keen and not wanted.get(own) and len(need.pools) > 1:
            return [], False
        wanted[own] = max(0, wanted.get(own, 0) - 1)
        found: list[Place] = []
        idle = True
        for pool, number in wanted.items():
            ready = [one for one in islice(self._places.idle_for(need, pool), number + 1) if one is not place]
            found += ready[:number]
            if len(ready) < number:
                idle = False
                found += self._soonest(need, pool, number - len(ready), but={place, *ready})
        missing = need.count - 1 - len(found)
        if missing > 0:  # too many are reserved, or cannot do it although others of their kind can
            but = {place, *found}
            others = [one for pool in need.pools for one in self._soonest(need, pool, missing, but)]
            idle = idle and all(one.until is None for one in others[:missing])
            found += others[:missing]
        return found[: need.count - 1], idle

    def _multis(self, place: Place) -> list[Pick]:
        """Return the units of several boards that a place could do, one of each need, the largest first."""
        found = []
        for need, cursor in (*place.multis, *place.sort.multis):
            if need.queued and need.there >= need.count:
                unit = self._backlog.longest(need, cursor)
                found.append(Pick(need, unit, cursor.column[unit]))
        return sorted(found, key=lambda pick: (-pick.seconds * pick.need.count, pick.unit))

    def _chain(self, place: Place) -> float:
        """Return how long the tests of several boards take that are left for a place, side by side."""
        return sum(
            cursor.total / need.count / (need.there // need.count)
            for need, cursor in (*place.multis, *place.sort.multis)
            if need.queued and need.there >= need.count
        )

    def _soonest(self, need: Need, pool: Pool, number: int, but: Collection[Place]) -> list[Place]:
        """Return boards of a pool that are free soonest; fewer when too many are reserved."""
        there = (one for one in self._places.places_of(need, pool) if one.is_there)
        usable = (one for one in there if not one.reserved and one not in but)
        return nsmallest(number, islice(usable, _GLANCE), key=lambda one: one.until or 0.0)

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


def has_room(need: Need, pool: Pool, seconds: float) -> bool:
    """Tell whether work of a need is best done in a pool.

    :param seconds: board-seconds of the work.
    """
    at = need.position.get(pool)
    if at is not None and need.shares[at] >= seconds:
        return True
    own = others = float("inf")
    for one, share in zip(need.pools, need.shares, strict=True):
        if one is pool:
            own = one.level + (seconds - share) / max(1, one.boards)
        elif one.boards:
            others = min(others, one.level + max(0.0, seconds - share) / one.boards)
    return own <= others * (1 + _TOLERANCE)


def composition(need: Need, seconds: float) -> dict[Pool, int]:
    """Return how many boards of which pools would best do a unit.

    :param seconds: how long it takes each of them.
    """
    chosen: dict[Pool, int] = {}

    def height(at: int) -> float:
        pool = need.pools[at]
        work = seconds * (chosen.get(pool, 0) + 1)
        return pool.level + max(0.0, work - need.shares[at]) / pool.boards

    for _ in range(need.count):
        able = [at for at, pool in enumerate(need.pools) if pool.boards > chosen.get(pool, 0)]
        if not able:
            break
        pool = need.pools[min(able, key=height)]
        chosen[pool] = chosen.get(pool, 0) + 1
    return chosen


def _better(
    best: tuple[Need, int, float] | None, need: Need, unit: int, seconds: float
) -> tuple[Need, int, float]:
    """Return which of two units comes first: the longer one, of equals that which fewer boards fit."""
    if best is None or seconds > best[2]:
        return need, unit, seconds
    if seconds == best[2] and (need.width, unit) < (best[0].width, best[1]):
        return need, unit, seconds
    return best
