"""Break: a board that was recognised by a serial number is not asked when another shows it too."""

from __future__ import annotations

from typing import Any

from harness.inventory.presence import Presence
from tests.breaks.support.patching import replaces

TITLE = "a board that was recognised by a serial number is not asked when another shows it too"
NOTICED_BY = ("tests/inventory/test_presence.py::test_twin_of_a_board_that_came_back",)
ABOUT = r"for each in doubts"


@replaces(Presence, "_doubt")
def doubt(self: Presence, serial: str | None) -> Any:
    """Trust it."""
    return []
