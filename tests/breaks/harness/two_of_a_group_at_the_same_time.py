"""Break: others go on with a group while the test of it that was begun is not over."""

from __future__ import annotations

from typing import Any

from harness.scheduling.hands import Hand
from tests.breaks.support.patching import replaces

TITLE = "others go on with a group while the test of it that was begun is not over"
NOTICED_BY = (
    "tests/scheduling/test_keep_together.py::test_a_board_lost_in_a_group",
    "tests/scheduling/test_keep_together.py::test_a_board_lost_that_was_not_fit_for_a_group",
    "tests/scheduling/test_keep_together.py::test_two_of_a_group_declined_before_it_is_heard",
    "tests/scheduling/test_keep_together.py::test_one_of_two_declined",
)
ABOUT = r"run_out\(tests\) == "


@replaces(Hand, "is_in_unit")
def is_in_unit(self: Hand[Any]) -> bool:
    """Ask nobody."""
    del self
    return False
