"""Break: a device is taken for the lost board that was plugged in at its place."""

from __future__ import annotations

from typing import Any

from harness.inventory.presence import Presence
from tests.breaks.support.patching import existing, replaces

TITLE = "a device is taken for the lost board that was plugged in at its place"
NOTICED_BY = (
    "tests/inventory/test_presence.py::test_swapped_before_the_watch_began",
    "tests/inventory/test_presence.py::test_answer_of_a_board_that_went",
    "tests/inventory/test_presence.py::test_nobody_can_ask",
)
ABOUT = r"isinstance\(change, Ask\)"


before = existing(Presence, "_look_at")


@replaces(Presence, "_look_at")
def look_at(self: Presence, device: Any) -> Any:
    """Look at the place."""
    for member in self._away():
        if member.board.properties.get("usb_location") == device.place:
            returned = self._return(member, device)
            return [] if returned is None else [returned]
    return before(self, device)
