"""How long each test is expected to run on each kind of board."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from statistics import fmean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.scheduling.work import Work

#: The kind of those that have no board.
NO_KIND = ""
#: Expected of a test when nothing is known of any.
UNKNOWN = 1.0

#: Expected seconds by unit: first of each test, then of each group, which takes as long as all its tests.
Column = array


class Estimates:
    """Expected seconds, a column for each kind of board; kinds of which the same is expected share one."""

    def __init__(self, work: Sequence[Work], groups: Sequence[Sequence[int]] = ()) -> None:
        """Read what is expected.

        :param work: the tests.
        :param groups: the tests of each group.
        """
        self._work = work
        self._groups = groups
        self._by_kind = any(isinstance(each.seconds, Mapping) for each in work)
        self._columns: dict[str, Column[float]] = {}

    def column(self, kind: str) -> Column[float]:
        """Return the expected seconds on a kind of board.

        What is not known of a test on this kind is the median of what is known of others on it. Only when
        nothing at all is known of the kind, it is what the same test takes elsewhere.

        :param kind: of board; :data:`NO_KIND` for those that have none.
        """
        key = kind if self._by_kind else NO_KIND
        column = self._columns.get(key)
        if column is None:
            figures = [_figure(each, key) for each in self._work]
            known = [figure for figure in figures if figure is not None]
            if known:
                usual = median(known)
                column = array("d", [usual if figure is None else figure for figure in figures])
            else:
                column = array("d", map(_elsewhere, self._work))
            column.extend([sum(column[index] for index in group) for group in self._groups])
            self._columns[key] = column
        return column

    def shorten(self, unit: int, tests: Sequence[int]) -> None:
        """Note that these tests alone are left of a group.

        :param unit: index of the group.
        :param tests: of it.
        """
        for column in self._columns.values():
            column[unit] = sum(column[index] for index in tests)


def _figure(work: Work, kind: str) -> float | None:
    seconds = work.seconds
    if not isinstance(seconds, Mapping):
        return _sound(seconds)
    if work.boards is None and kind not in seconds:
        return _elsewhere(work) if seconds else None  # on which board it is run makes no difference
    return _sound(seconds.get(kind))


def _elsewhere(work: Work) -> float:
    figures = work.seconds.values() if isinstance(work.seconds, Mapping) else (work.seconds,)
    known = [figure for figure in map(_sound, figures) if figure is not None]
    return fmean(known) if known else UNKNOWN


def _sound(seconds: float | None) -> float | None:
    """Return a figure by which can be sorted: neither negative nor no number."""
    return seconds if seconds is not None and 0 <= seconds < float("inf") else None
