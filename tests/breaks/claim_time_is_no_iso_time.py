"""Break: the time of a claim is seconds since the epoch."""

from __future__ import annotations

from typing import Any

from harness_nordic.fake.records import ClaimedDevice
from tests.breaks.support.patching import existing, replaces

TITLE = "the time of a claim is seconds since the epoch"
EXPECTED = ("test_claiming.py::test_get",)
ABOUT = r"claimed_at"

before = existing(ClaimedDevice, "to_json")


@replaces(ClaimedDevice, "to_json")
def to_json(self: ClaimedDevice) -> dict[str, Any]:
    """Tell the time as a number."""
    return {**before(self), "claimedAt": "1700000000"}
