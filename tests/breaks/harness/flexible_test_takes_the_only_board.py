"""Break: a test that fits many kinds takes the only board that others need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.scheduling import choice
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.scheduling.backlog import Need
    from harness.scheduling.pressure import Pool

TITLE = "a test that fits many kinds takes the only board that others need"
NOTICED_BY = (
    "tests/scheduling/test_dispatch.py::test_a_flexible_test_leaves_the_boards_to_those_that_need_them[boats1]",
)
ABOUT = r"first"


@replaces(choice, "has_room")
def has_room(need: Need, pool: Pool, seconds: float) -> bool:
    """Think that there is room everywhere."""
    return True
