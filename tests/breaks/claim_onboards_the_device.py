"""Break: whoever claims a device has it onboarded, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.core_devices import CoreDevice
from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.records import ClaimedDevice, Member

TITLE = "a claim onboards the device"
EXPECTED = ("test_core_devices.py::test_device_that_there_is_not",)
ABOUT = r"has"
SEPARATE = True

before = existing(ProvisioningService, "claim")


@replaces(ProvisioningService, "claim")
def claim(self: ProvisioningService, member: Member, token: str, tags: Sequence[str]) -> ClaimedDevice:
    """Claim, and onboard."""
    device: ClaimedDevice = before(self, member, token, tags)
    self.core.onboard(member.owner_id, CoreDevice(id=device.id))
    return device
