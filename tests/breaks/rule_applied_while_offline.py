"""Break: a rule gives its commands to a device that is offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.records import ClaimedDevice, Member

TITLE = "a rule gives its commands to a device that is offline"
EXPECTED = ("test_rules.py::test_rule_waits_for_an_offline_board",)
ABOUT = r"READY|commands"

before = existing(ProvisioningService, "claim")


@replaces(ProvisioningService, "claim")
def claim(self: ProvisioningService, member: Member, token: str, tags: Sequence[str]) -> ClaimedDevice:
    """Evaluate rules with the claim."""
    device: ClaimedDevice = before(self, member, token, tags)
    self.evaluate_rules(device)
    return device
