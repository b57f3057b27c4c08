"""Break: unclaiming a device is answered 204 and does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import Member

TITLE = "unclaiming a device is answered 204 and does nothing"
EXPECTED = (
    "test_unclaiming.py::test_unclaim",
    "test_unclaiming.py::test_unclaimed_board_is_turned_away",
    "test_unclaiming.py::test_unclaim_twice",
)
ABOUT = r"is_claimed_by|401|404"
SEPARATE = True


@replaces(ProvisioningService, "unclaim")
def unclaim(self: ProvisioningService, member: Member, device_id: str) -> None:
    """Find the device, and keep it."""
    self.device(member, device_id)
