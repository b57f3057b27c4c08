"""Break: a device is taken for a lost board by a serial number that two have."""

from __future__ import annotations

from harness.inventory.presence import Presence
from tests.breaks.support.patching import replaces

TITLE = "a device is taken for a lost board by a serial number that two have"
NOTICED_BY = (
    "tests/inventory/test_presence.py::test_coming_is_told_before_going",
    "tests/inventory/test_presence.py::test_stranger_to_the_session",
    "tests/inventory/test_presence.py::test_nobody_can_ask",
)
ABOUT = r"isinstance\(change, Ask\)"


@replaces(Presence, "_is_shared")
def is_shared(self: Presence, serial: str | None) -> bool:
    """Think that nobody else has it."""
    return False
