"""Break: the service puts no finished behind the commands of a rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice

TITLE = "the service puts no finished behind the commands of a rule"
EXPECTED = (
    "test_rules.py::test_rule_provisions_its_board",
    "test_rules.py::test_order_of_several_rules",
)
ABOUT = r"finished"

before = existing(ProvisioningService, "evaluate_rules")


@replaces(ProvisioningService, "evaluate_rules")
def evaluate_rules(self: ProvisioningService, device: ClaimedDevice) -> None:
    """Choose otherwise."""
    choices = self.choices
    self.choices = replace(choices, rule_finished=False)
    before(self, device)
    self.choices = choices
