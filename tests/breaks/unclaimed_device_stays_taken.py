"""Break: after an unclaim nobody may claim the device again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.refusals import Conflict
from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import FactoryRecord, Member
    from harness_nordic.fake.tokens import Attestation

TITLE = "after an unclaim nobody may claim the device again"
EXPECTED = (
    "test_unclaiming.py::test_another_team_claims_after_unclaim",
    "test_unclaiming.py::test_claim_after_unclaim",
)
ABOUT = r"202"
SEPARATE = True

unclaim_before = existing(ProvisioningService, "unclaim")
check_before = existing(ProvisioningService, "check_claim")
gone: set[str] = set()


@replaces(ProvisioningService, "unclaim")
def unclaim(self: ProvisioningService, member: Member, device_id: str) -> None:
    """Unclaim, and remember it."""
    unclaim_before(self, member, device_id)
    gone.add(device_id)


@replaces(ProvisioningService, "check_claim")
def check_claim(self: ProvisioningService, token: str) -> tuple[FactoryRecord, Attestation]:
    """Take a device for claimed that once was."""
    result: tuple[FactoryRecord, Attestation] = check_before(self, token)
    if result[0].id in gone:
        raise Conflict("the device is claimed already")
    return result
