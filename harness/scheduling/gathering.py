"""A unit that takes several boards, from the moment at which these are reserved until it is over.

All of its boards are reserved at once, and each board by one unit at a time: what is waited for are tests
that run already, and they wait for nobody. So no two units can wait for each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from harness.scheduling.work import Assignment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.scheduling.backlog import Need
    from harness.scheduling.places import Place

RunnerT = TypeVar("RunnerT")


class Gathering(Generic[RunnerT]):
    """Boards reserved for a unit.

    :ivar unit: which it is.
    :ivar need: what it needs.
    :ivar runner: the worker that runs it.
    :ivar places: its boards, the runner's first.
    :ivar missing: those that have not been freed for it yet.
    :ivar begun: whether its first test was handed out.
    :ivar over: whether the boards are reserved no longer.
    """

    def __init__(self, unit: int, need: Need, runner: RunnerT, places: Sequence[Place]) -> None:
        """Reserve the boards."""
        self.unit = unit
        self.need = need
        self.runner = runner
        self.places = tuple(places)
        self.missing = set(places[1:])
        self.begun = False
        self.over = False
        need.gathering += 1
        for place in places:
            place.reserved = True
            place.note_idle()

    @property
    def boards(self) -> tuple[str, ...]:
        """Ids of the boards, the runner's first, then in their order."""
        own, *others = (place.board or "" for place in self.places)
        return (own, *sorted(others))

    @property
    def free_at(self) -> float | None:
        """When the last of its boards is expected to be free; ``None`` when all are."""
        return max((place.until for place in self.places if place.until is not None), default=None)

    def assignment(self, test: int, *, stands_by: bool = False) -> Assignment:
        """Return what its runner, or another worker of its boards, is told."""
        return Assignment(test, self.boards, stands_by)

    def begin(self, until: float) -> None:
        """Its first test is handed out.

        :param until: when its last is expected to be over.
        """
        self.begun = True
        self.need.gathering -= 1
        for place in self.places:
            place.occupy(until)

    def end(self) -> None:
        """Release the boards."""
        self.over = True
        if not self.begun:
            self.need.gathering -= 1
        for place in self.places:
            place.reserved = False
            if self.begun:
                place.vacate()
            place.note_idle()
