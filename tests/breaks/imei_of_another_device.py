"""Break: a claimed device shows another device's IMEI."""

from __future__ import annotations

from typing import Any

from harness_nordic.fake.records import ClaimedDevice
from tests.breaks.support.patching import existing, replaces

TITLE = "a claimed device shows another device's IMEI"
EXPECTED = ("test_claiming.py::test_claimed_device_is_the_board",)
ABOUT = r"imei"

before = existing(ClaimedDevice, "to_json")


@replaces(ClaimedDevice, "to_json")
def to_json(self: ClaimedDevice) -> dict[str, Any]:
    """Tell a wrong imei."""
    return {**before(self), "imei": "359404230261381"}
