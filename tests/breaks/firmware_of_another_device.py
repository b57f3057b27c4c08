"""Break: a claimed device shows another firmware."""

from __future__ import annotations

from typing import Any

from harness_nordic.fake.records import ClaimedDevice
from tests.breaks.support.patching import existing, replaces

TITLE = "a claimed device shows another firmware"
EXPECTED = ("test_claiming.py::test_claimed_device_is_the_board",)
ABOUT = r"firmware_id|XMODEMUUID"

before = existing(ClaimedDevice, "to_json")


@replaces(ClaimedDevice, "to_json")
def to_json(self: ClaimedDevice) -> dict[str, Any]:
    """Tell a wrong firmwareId."""
    return {**before(self), "firmwareId": "a4d580b9-aafb-4925-bc8d-db95f737d4ae"}
