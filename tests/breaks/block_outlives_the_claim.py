"""Break: a device that was unclaimed blocked is blocked for its next owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.records import ClaimedDevice, Member

TITLE = "a device that was unclaimed blocked is blocked for its next owner"
EXPECTED = ("test_unclaiming.py::test_unclaim_of_a_blocked_device",)
ABOUT = r"READY|BLOCKED"

unclaim_before = existing(ProvisioningService, "unclaim")
claim_before = existing(ProvisioningService, "claim")
blocked: set[str] = set()


@replaces(ProvisioningService, "unclaim")
def unclaim(self: ProvisioningService, member: Member, device_id: str) -> None:
    """Unclaim, and remember the block."""
    if self.device(member, device_id).blocked:
        blocked.add(device_id)
    unclaim_before(self, member, device_id)


@replaces(ProvisioningService, "claim")
def claim(self: ProvisioningService, member: Member, token: str, tags: Sequence[str]) -> ClaimedDevice:
    """Claim, and block at once what was blocked."""
    device: ClaimedDevice = claim_before(self, member, token, tags)
    device.blocked = device.id in blocked
    return device
