"""Break: unclaiming a device deletes it from the core, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import Member

TITLE = "unclaiming a device deletes the onboarded device"
EXPECTED = ("test_core_and_claims.py::test_unclaimed_device_stays_until_it_is_deleted",)
ABOUT = r"RequestRefused|404|has|mine"

before = existing(ProvisioningService, "unclaim")


@replaces(ProvisioningService, "unclaim")
def unclaim(self: ProvisioningService, member: Member, device_id: str) -> None:
    """Take both halves for one."""
    before(self, member, device_id)
    if self.core.has(member.owner_id, device_id):
        self.core.delete(member.owner_id, device_id)
