"""Break: the list shows other teams' devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice, Member

TITLE = "the list shows other teams' devices"
EXPECTED = ("test_claiming.py::test_list_of_another_team",)
ABOUT = r"is_claimed_by"


@replaces(ProvisioningService, "devices")
def devices(self: ProvisioningService, member: Member) -> list[ClaimedDevice]:
    """Return everybody's devices."""
    return list(self._claims.values())
