"""Break: a rule that nobody has activated applies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_nordic.fake.rules import TeamRules
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.rules import Rule

TITLE = "a rule that nobody has activated applies"
EXPECTED = (
    "test_rule_control.py::test_draft_is_applied_when_it_is_activated",
    "test_rule_control.py::test_rule_taken_out_of_use",
)
ABOUT = r"finished|held"

before = existing(TeamRules, "matching")


@replaces(TeamRules, "matching")
def matching(self: TeamRules, device: ClaimedDevice) -> list[Rule]:
    """Take drafts for rules."""
    drafts = [rule for rule in self.all() if not rule.contents.active]
    for rule in drafts:
        rule.contents = replace(rule.contents, active=True)
    found: list[Rule] = before(self, device)
    for rule in drafts:
        rule.contents = replace(rule.contents, active=False)
    return found
