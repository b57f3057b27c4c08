"""Break: several rules of a device apply in reversed order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.rules import TeamRules
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.rules import Rule

TITLE = "several rules of a device apply in reversed order"
EXPECTED = ("test_rules.py::test_order_of_several_rules",)
ABOUT = r"has_ca|held"

before = existing(TeamRules, "matching")


@replaces(TeamRules, "matching")
def matching(self: TeamRules, device: ClaimedDevice) -> list[Rule]:
    """Begin with the last."""
    return list(reversed(before(self, device)))
