"""Break: a test of several boards that one of them declined is never gathered for again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.scheduling.places import Places
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.scheduling.backlog import Need

TITLE = "a test of several boards that one of them declined waits for ever"
NOTICED_BY = ("tests/scheduling/test_unfit_boards.py::test_all_that_enough_boards_are_left_for_is_run",)
ABOUT = r"everybody waits|farm.busy"


@replaces(Places, "add_special")
def add_special(self: Places, need: Need) -> None:
    """Forget where its other boards are looked for."""
    for place in self.places_of(need):
        place.forget_special()
    self._attach(need)
