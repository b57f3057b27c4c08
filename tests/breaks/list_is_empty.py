"""Break: the list shows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice, Member

TITLE = "the list shows nothing"
EXPECTED = (
    "test_claiming.py::test_list_shows_the_claimed_device",
    "test_claiming.py::test_claim_twice",
    "test_blocking.py::test_block",
)
ABOUT = r"is_claimed_by|imei|listed"


@replaces(ProvisioningService, "devices")
def devices(self: ProvisioningService, member: Member) -> list[ClaimedDevice]:
    """Return no device."""
    return []
