"""Break: a device that is claimed with a rule does not join its group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.client_rules import RuleCalls
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.client_objects import ClaimedDevice
    from harness_nordic.client_rules import Rule

TITLE = "a device that is claimed with a rule does not join its group"
EXPECTED = (
    "test_auto_onboarding.py::test_device_joins_the_group",
    "test_auto_onboarding.py::test_existing_rule_by_name",
)
ABOUT = r"finished|tags"


@replaces(RuleCalls, "claim_with_rule")
def claim_with_rule(self: RuleCalls, token: str, rule: Rule | str) -> ClaimedDevice:
    """Claim, and that is all."""
    return self.claim(token)
