"""Break: only the first rule of a device applies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.rules import TeamRules
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.rules import Rule

TITLE = "only the first rule of a device applies"
EXPECTED = (
    "test_rules.py::test_several_rules_of_one_device",
    "test_rules.py::test_order_of_several_rules",
)
ABOUT = r"held|types_of|CLIENT_CERT"

before = existing(TeamRules, "matching")


@replaces(TeamRules, "matching")
def matching(self: TeamRules, device: ClaimedDevice) -> list[Rule]:
    """Mark all as applied and give one."""
    found: list[Rule] = before(self, device)
    device.rules.update(rule.id for rule in found)
    return found[:1]
