"""Break: a rule gives its commands to a blocked device that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice, FactoryRecord

TITLE = "a rule gives its commands to a blocked device that asks"
EXPECTED = ("test_rules.py::test_rule_waits_for_a_blocked_board",)
ABOUT = r"commands|READY"

before = existing(ProvisioningService, "served_device")


@replaces(ProvisioningService, "served_device")
def served_device(self: ProvisioningService, record: FactoryRecord) -> ClaimedDevice:
    """Evaluate rules before anybody looks for a block."""
    device = self._claims.get(record.id)
    if device is not None:
        self.evaluate_rules(device)
    served: ClaimedDevice = before(self, record)
    return served
