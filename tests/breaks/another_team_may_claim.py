"""Break: another team may claim a device that is claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake import tokens
from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.records import ClaimedDevice, Member

TITLE = "another team may claim a device that is claimed"
EXPECTED = (
    "test_claiming.py::test_claim_of_another_teams_device",
    "test_blocking.py::test_block_keeps_the_claim",
)
ABOUT = r"RequestRefused|refused"

before = existing(ProvisioningService, "claim")


@replaces(ProvisioningService, "claim")
def claim(self: ProvisioningService, member: Member, token: str, tags: Sequence[str]) -> ClaimedDevice:
    """Take the device away from its team."""
    held = self._claims.get(tokens.read_attestation(token).device_id)
    if held is not None and held.owner_id != member.owner_id:
        del self._claims[held.id]
    device: ClaimedDevice = before(self, member, token, tags)
    return device
