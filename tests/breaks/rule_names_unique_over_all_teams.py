"""Break: two teams cannot have rules of one name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.refusals import Conflict
from harness_nordic.fake.rules import TeamRules
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.rules import Rule, RuleContents

TITLE = "two teams cannot have rules of one name"
EXPECTED = ("test_rules.py::test_rule_of_another_team",)
ABOUT = r"status_code"

before = existing(TeamRules, "create")
taken: set[str] = set()


@replaces(TeamRules, "create")
def create(self: TeamRules, contents: RuleContents, created_at: str) -> Rule:
    """Remember every name, whosever it is."""
    if contents.name in taken:
        raise Conflict("somebody has a rule of this name")
    rule: Rule = before(self, contents, created_at)
    taken.add(contents.name)
    return rule
