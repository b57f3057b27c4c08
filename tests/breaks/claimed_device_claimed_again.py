"""Break: a claimed device can be claimed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import FactoryRecord
    from harness_nordic.fake.tokens import Attestation

TITLE = "a claimed device can be claimed again"
EXPECTED = (
    "test_claiming.py::test_claim_twice",
    "test_claiming.py::test_claim_of_another_teams_device",
    "test_claiming.py::test_dry_run_of_a_claimed_device",
    "test_blocking.py::test_block_keeps_the_claim",
)
ABOUT = r"RequestRefused|refused"

before = existing(ProvisioningService, "check_claim")


@replaces(ProvisioningService, "check_claim")
def check_claim(self: ProvisioningService, token: str) -> tuple[FactoryRecord, Attestation]:
    """Check everything but whether somebody has the device."""
    claims, self._claims = self._claims, {}
    try:
        result: tuple[FactoryRecord, Attestation] = before(self, token)
    finally:
        self._claims = claims
    return result
