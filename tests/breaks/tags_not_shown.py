"""Break: a claimed device never shows its tags."""

from __future__ import annotations

from typing import Any

from harness_nordic.fake.records import ClaimedDevice
from tests.breaks.support.patching import existing, replaces

TITLE = "a claimed device never shows its tags"
EXPECTED = ("test_claiming.py::test_claim_with_tags",)
ABOUT = r"tags"

before = existing(ClaimedDevice, "to_json")


@replaces(ClaimedDevice, "to_json")
def to_json(self: ClaimedDevice) -> dict[str, Any]:
    """Tell a wrong tags."""
    return {**before(self), "tags": []}
