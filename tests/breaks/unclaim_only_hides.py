"""Break: an unclaimed device is hidden from the team, and still served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice, FactoryRecord, Member

TITLE = "an unclaimed device is hidden from the team, and still served"
EXPECTED = ("test_unclaiming.py::test_unclaimed_board_is_turned_away",)
ABOUT = r"refused_with == refused.status\(401\)"

before = existing(ProvisioningService, "unclaim")
served_before = existing(ProvisioningService, "served_device")
hidden: dict[str, ClaimedDevice] = {}


@replaces(ProvisioningService, "unclaim")
def unclaim(self: ProvisioningService, member: Member, device_id: str) -> None:
    """Unclaim, and keep the device for the device endpoint."""
    device = self.device(member, device_id)
    before(self, member, device_id)
    hidden[device_id] = device


@replaces(ProvisioningService, "served_device")
def served_device(self: ProvisioningService, record: FactoryRecord) -> ClaimedDevice:
    """Serve a hidden device too."""
    if record.id in hidden and record.id not in self._claims:
        return hidden[record.id]
    device: ClaimedDevice = served_before(self, record)
    return device
