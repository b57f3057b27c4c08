"""Break: the tags of a claim are dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.records import ClaimedDevice, Member

TITLE = "the tags of a claim are dropped"
EXPECTED = ("test_claiming.py::test_claim_with_tags",)
ABOUT = r"tags"

before = existing(ProvisioningService, "claim")


@replaces(ProvisioningService, "claim")
def claim(self: ProvisioningService, member: Member, token: str, tags: Sequence[str]) -> ClaimedDevice:
    """Claim without the tags."""
    device: ClaimedDevice = before(self, member, token, ())
    return device
