"""Break: a claimed device is not shown as identified."""

from __future__ import annotations

from typing import Any

from harness_nordic.fake.records import ClaimedDevice
from tests.breaks.support.patching import existing, replaces

TITLE = "a claimed device is not shown as identified"
EXPECTED = ("test_claiming.py::test_claimed_device_is_the_board",)
ABOUT = r"IDENTIFIED"

before = existing(ClaimedDevice, "to_json")


@replaces(ClaimedDevice, "to_json")
def to_json(self: ClaimedDevice) -> dict[str, Any]:
    """Tell a wrong ownershipStatus."""
    return {**before(self), "ownershipStatus": "UNKNOWN"}
