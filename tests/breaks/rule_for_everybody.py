"""Break: a rule applies to devices without its tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.rules import TeamRules
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.rules import Rule

TITLE = "a rule applies to devices without its tag"
EXPECTED = ("test_rules.py::test_rule_is_for_its_group_only",)
ABOUT = r"finished|held"


@replaces(TeamRules, "matching")
def matching(self: TeamRules, device: ClaimedDevice) -> list[Rule]:
    """Ask for no tag."""
    return [rule for rule in self.all() if rule.contents.active and rule.id not in device.rules]
