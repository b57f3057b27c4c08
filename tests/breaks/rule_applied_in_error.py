"""Break: a device in ERROR gets rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice

TITLE = "a device in ERROR gets rules"
EXPECTED = ("test_rules.py::test_rule_of_a_device_in_error",)
ABOUT = r"commands|len"

before = existing(ProvisioningService, "evaluate_rules")


@replaces(ProvisioningService, "evaluate_rules")
def evaluate_rules(self: ProvisioningService, device: ClaimedDevice) -> None:
    """Hide the error while rules are evaluated."""
    status = device.queue.device_status
    if status is DeviceStatus.ERROR:
        device.queue.device_status = DeviceStatus.READY
    before(self, device)
    if status is DeviceStatus.ERROR:
        device.queue.device_status = status
