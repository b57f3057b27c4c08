"""Break: two rules may have one name."""

from __future__ import annotations

from harness_nordic.fake.rules import TeamRules
from tests.breaks.support.patching import replaces

TITLE = "two rules may have one name"
EXPECTED = (
    "test_rule_control.py::test_name_of_a_rule_is_unique",
    "test_auto_onboarding.py::test_name_of_an_onboarding_is_unique",
)
ABOUT = r"RequestRefused|refused"


@replaces(TeamRules, "_refuse_taken")
def _refuse_taken(self: TeamRules, name: str) -> None:
    """Look at no other rule."""
