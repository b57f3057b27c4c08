"""Break: a rule is applied to one device and to no other after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import service
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.choices import Choices
    from harness_nordic.fake.records import ClaimedDevice
    from harness_nordic.fake.rules import Rule

TITLE = "a rule is applied to one device and to no other after it"
EXPECTED = ("test_rules.py::test_new_claim_gets_the_rule_again",)
ABOUT = r"has_ca"

before = existing(service, "apply_rules")
used: set[str] = set()


@replaces(service, "apply_rules")
def apply_rules(device: ClaimedDevice, rules: Sequence[Rule], choices: Choices, now: str) -> None:
    """Use each rule up."""
    before(device, [rule for rule in rules if rule.id not in used], choices, now)
    used.update(device.rules)
