"""A time that no order of tests on boards can beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.scheduling.work import Work

#: Up to so many kinds every set of them is looked at; beyond, the sets that tests ask for and pairs of these.
_ALL_SETS = 12
_NO_KIND = ""


def lower_bound(work: Sequence[Work], kinds: Mapping[str, str], *, width: bool = True) -> float:
    """Return seconds between the first start and the last end that nobody can go below.

    That is the longest of: each test, each group of tests that are kept together, and for each set of kinds
    the board-seconds of the tests that fit nowhere else, divided by the boards in it. A test that takes
    several boards counts once for each. Boards of one kind that differ in what they can do are told apart, so
    that "kind" means here: boards that the same tests fit. Tests without a board count for themselves alone.

    :param work: the tests, with their seconds; where these differ by kind the least counts.
    :param kinds: the kind of each board of the session, by id.
    :param width: whether to count, too, that two tests which take more than half of the boards that they fit
        cannot run side by side.
    """
    fitting = [one for one in work if one.boards]
    sorts = _sorts({one.boards for one in fitting}, kinds)
    number_of = [len(boards) for boards in sorts]
    by_mask: dict[int, float] = {}
    serial: dict[tuple[int, int], float] = {}
    masks: dict[frozenset[str], int] = {}
    for one in fitting:
        boards = one.boards or frozenset()
        mask = masks.get(boards)
        if mask is None:
            mask = masks[boards] = sum(1 << at for at, own in enumerate(sorts) if not own.isdisjoint(boards))
        seconds = _least(one, kinds)
        by_mask[mask] = by_mask.get(mask, 0.0) + seconds * one.count
        if one.count > 1:
            serial[mask, one.count] = serial.get((mask, one.count), 0.0) + seconds
    found = [_longest(work, kinds)]
    for chosen in _sets(list(by_mask), len(sorts)):
        boards_in = sum(number for at, number in enumerate(number_of) if chosen >> at & 1)
        inside = sum(seconds for mask, seconds in by_mask.items() if mask | chosen == chosen)
        found.append(inside / boards_in)
        if width:
            found.append(_side_by_side(serial, chosen, boards_in))
    return max(found)


def _side_by_side(serial: Mapping[tuple[int, int], float], chosen: int, boards: int) -> float:
    """Return what the tests need that take several boards of a set, so many of them side by side as fit."""
    inside = [(count, seconds) for (mask, count), seconds in serial.items() if mask | chosen == chosen]
    times = [0.0]
    for least in {count for count, _ in inside}:
        lanes = boards // least
        if lanes:
            times.append(sum(seconds for count, seconds in inside if count >= least) / lanes)
    return max(times)


def _longest(work: Sequence[Work], kinds: Mapping[str, str]) -> float:
    groups: dict[str, float] = {}
    longest = 0.0
    for one in work:
        seconds = _least(one, kinds)
        if one.group is not None:
            seconds = groups[one.group] = groups.get(one.group, 0.0) + seconds
        longest = max(longest, seconds)
    return longest


def _least(one: Work, kinds: Mapping[str, str]) -> float:
    if not isinstance(one.seconds, Mapping):
        return one.seconds
    own = {kinds[board] for board in one.boards or ()}
    known = [seconds for kind, seconds in one.seconds.items() if kind in own or not own]
    return min(known, default=0.0)


def _sorts(sets: Iterable[frozenset[str] | None], kinds: Mapping[str, str]) -> list[frozenset[str]]:
    """Return the boards, those together that belong to the same of some sets."""
    member: dict[str, list[int]] = {board: [] for board in kinds}
    for number, boards in enumerate(sets):
        for board in boards or ():
            member[board].append(number)
    sorts: dict[tuple[int, ...], list[str]] = {}
    for board, numbers in member.items():
        if numbers:
            sorts.setdefault(tuple(numbers), []).append(board)
    return [frozenset(boards) for boards in sorts.values()]


def _sets(masks: Sequence[int], sorts: int) -> Iterable[int]:
    """Give the sets of sorts that may be the tightest: unions of those that tests ask for."""
    unions = {0}
    for mask in masks:
        if len(unions) > 1 << _ALL_SETS:
            break
        unions |= {one | mask for one in unions}
    if sorts > _ALL_SETS:
        unions |= {one | other for one in masks for other in masks} if len(masks) <= 1 << 8 else set(masks)
    return unions - {0}
