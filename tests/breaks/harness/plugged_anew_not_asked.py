"""Break: a board that was plugged in anew is not asked before the next test."""

from __future__ import annotations

from harness.inventory.leased_board import LeasedBoard
from tests.breaks.support.patching import replaces

TITLE = "a board that was plugged in anew is not asked before the next test"
NOTICED_BY = ("tests/hotplug/test_twins.py::test_twin_that_nobody_has_seen_takes_no_place",)
ABOUT = r"test_2_is_not_the_twin"


@replaces(LeasedBoard, "doubted")
def doubted(self: LeasedBoard) -> bool:
    """Believe its serial number."""
    return False
