"""Break: a claimed device shows another owner."""

from __future__ import annotations

from typing import Any

from harness_nordic.fake.records import ClaimedDevice
from tests.breaks.support.patching import existing, replaces

TITLE = "a claimed device shows another owner"
EXPECTED = ("test_claiming.py::test_claim_of_another_teams_device",)
ABOUT = r"owner_id"

before = existing(ClaimedDevice, "to_json")


@replaces(ClaimedDevice, "to_json")
def to_json(self: ClaimedDevice) -> dict[str, Any]:
    """Tell a wrong ownerId."""
    return {**before(self), "ownerId": "00000000-0000-4000-8000-00000000abcd"}
