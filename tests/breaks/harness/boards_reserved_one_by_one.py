"""Break: tests of several boards reserve them one by one, and wait for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.scheduling.choice import Choice
from harness.scheduling.gathering import Gathering
from harness.scheduling.serving import Serving
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from harness.scheduling.backlog import Need
    from harness.scheduling.choice import Pick
    from harness.scheduling.places import Place
    from harness.scheduling.pressure import Pool

TITLE = "tests of several boards reserve them one by one, and wait for each other"
NOTICED_BY = (
    "tests/scheduling/test_several_boards.py::test_two_that_want_the_same_boards_do_not_wait_for_each_other",
)
ABOUT = r"ran"


@replaces(Serving, "_gather")
def gather(self: Serving[Any], hand: Any, pick: Pick, others: Sequence[Place]) -> None:
    """Reserve the runner's own board, and wait until the others are free for it."""
    self._take(pick, hand.place)
    gathering = Gathering(pick.unit, pick.need, hand, [hand.place, *others])
    pick.need.gathering = 0
    for place in others:
        place.reserved = False
    self.pending.add(gathering)
    self.gatherings[hand.place] = gathering
    self._advance(hand, gathering)


@replaces(Choice, "_soonest")
def soonest(self: Choice, need: Need, pool: Pool, number: int, but: Collection[Place]) -> list[Place]:
    """Wait for those as well that wait themselves."""
    return [one for one in self._places.places_of(need, pool) if one not in but][:number]
