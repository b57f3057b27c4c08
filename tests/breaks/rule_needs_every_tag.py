"""Break: a rule applies only to devices with all of its tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.rules import TeamRules
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.rules import Rule

TITLE = "a rule applies only to devices with all of its tags"
EXPECTED = ("test_rules.py::test_rule_of_several_tags",)
ABOUT = r"has_ca"


@replaces(TeamRules, "matching")
def matching(self: TeamRules, device: ClaimedDevice) -> list[Rule]:
    """Ask for every tag of a rule."""
    return [
        rule
        for rule in self.all()
        if rule.contents.active and rule.id not in device.rules and {*rule.tag_ids} <= {*device.tag_ids}
    ]
