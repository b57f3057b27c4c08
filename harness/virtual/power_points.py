"""Power cuts at chosen points: which steps a virtual board passes, and at which of them its supply fails.

Which points there are is the vendor's: before and after a write to its flash, for example. A test looks at
the points of one run and lets the power go at any of them in the next.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_KEPT = 4000


class PowerLost(Exception):
    """The supply failed: what was being done is not done further."""


@dataclass(slots=True)
class _Cut:
    point: str
    left: int
    comes_back: bool


class PowerPoints:
    """The points that a board passed, and the cut that waits for one of them.

    :ivar points: every point that the board passes.
    """

    def __init__(self, points: Sequence[str]) -> None:
        """Cut nothing.

        :param points: every point that the board passes.
        """
        self.points = tuple(points)
        self._passed: deque[tuple[str, str]] = deque(maxlen=_KEPT)
        self._cut: _Cut | None = None
        self._lose_power: Callable[[bool], None] = _no_supply

    def connect(self, lose_power: Callable[[bool], None]) -> None:
        """Name the supply.

        :param lose_power: takes the power away at once; told whether it comes back at once.
        """
        self._lose_power = lose_power

    @property
    def armed(self) -> bool:
        """Whether a cut waits. Then points are to be passed on the loop's thread."""
        return self._cut is not None

    def arm(self, point: str, nth: int, *, comes_back: bool) -> None:
        """Cut the power at the nth passing of a point from now on; an earlier order is forgotten.

        :param point: one of :attr:`points`.
        :param nth: 1 is the next passing.
        :param comes_back: the power returns as soon as the board is dark.
        :raises ValueError: there is no such point, or ``nth`` is no count from 1.
        """
        if point not in self.points:
            raise ValueError(f"point is {point!r}; expected one of {', '.join(map(repr, self.points))}")
        if isinstance(nth, bool) or not isinstance(nth, int) or nth < 1:
            raise ValueError(f"nth is {nth!r}; expected a count from 1")
        self._cut = _Cut(point, nth, bool(comes_back))

    def disarm(self) -> None:
        """Forget the order."""
        self._cut = None

    def passed(self) -> list[tuple[str, str]]:
        """Return the points that were passed, oldest first, each with what was being done."""
        return list(self._passed)

    def clear(self) -> None:
        """Forget which points were passed."""
        self._passed.clear()

    def shown(self, detail: str) -> str:
        """Return what may be said of what is being done; a board overrides this that does secret things."""
        return detail

    def note(self, point: str, detail: str) -> None:
        """Pass a point at which the power does not go.

        :param detail: what is being done; kept as :meth:`shown` shows it.
        """
        self._passed.append((point, self.shown(detail)))

    def pass_by(self, point: str, detail: str) -> None:
        """Pass a point; the one at which the power goes is passed too.

        :param point: one of :attr:`points`.
        :param detail: what is being done; kept as :meth:`shown` shows it.
        :raises PowerLost: the power went here.
        """
        self.note(point, detail)
        cut = self._cut
        if cut is None or cut.point != point:
            return
        cut.left -= 1
        if cut.left == 0:
            self._cut = None
            self._lose_power(cut.comes_back)
            raise PowerLost(f"{point} {self.shown(detail)}")


def _no_supply(_comes_back: bool) -> None:  # noqa: FBT001 - the form of the callback
    """Stand for the supply of a store that belongs to no board."""
