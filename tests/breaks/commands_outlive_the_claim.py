"""Break: a new claim finds the old commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.command_queue import CommandQueue
    from harness_nordic.fake.records import ClaimedDevice, Member

TITLE = "a new claim finds the old commands"
EXPECTED = ("test_unclaiming.py::test_claim_after_unclaim",)
ABOUT = r"READY|PENDING"

unclaim_before = existing(ProvisioningService, "unclaim")
claim_before = existing(ProvisioningService, "claim")
queues: dict[str, CommandQueue] = {}


@replaces(ProvisioningService, "unclaim")
def unclaim(self: ProvisioningService, member: Member, device_id: str) -> None:
    """Unclaim, and keep the queue."""
    queue = self.device(member, device_id).queue
    unclaim_before(self, member, device_id)
    queues[device_id] = queue


@replaces(ProvisioningService, "claim")
def claim(self: ProvisioningService, member: Member, token: str, tags: Sequence[str]) -> ClaimedDevice:
    """Claim, and go on with the old queue."""
    device: ClaimedDevice = claim_before(self, member, token, tags)
    device.queue = queues.pop(device.id, device.queue)
    return device
