"""Break: an active rule can be edited."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_nordic.fake.rules import TeamRules
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.rules import Rule, RuleContents

TITLE = "an active rule can be edited"
EXPECTED = (
    "test_rule_control.py::test_active_rule_is_not_edited*",
    "test_auto_onboarding.py::test_rule_of_an_onboarding_is_not_edited",
)
ABOUT = r"RequestRefused|refused"

before = existing(TeamRules, "change")


@replaces(TeamRules, "change")
def change(self: TeamRules, rule_id: str, contents: RuleContents) -> Rule:
    """Look at it as at a draft."""
    rule = self.rule(rule_id)
    rule.contents = replace(rule.contents, active=False)
    changed: Rule = before(self, rule_id, contents)
    return changed
