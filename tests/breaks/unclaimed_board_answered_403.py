"""Break: a board that nobody claimed is refused as if it were blocked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.refusals import NotAllowed, NotAuthenticated
from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice, FactoryRecord

TITLE = "a board that nobody claimed is refused as if it were blocked"
EXPECTED = (
    "test_unclaiming.py::test_unclaimed_board_is_turned_away",
    "test_unclaiming.py::test_never_claimed_board_is_turned_away",
)
ABOUT = r"401"

before = existing(ProvisioningService, "served_device")


@replaces(ProvisioningService, "served_device")
def served_device(self: ProvisioningService, record: FactoryRecord) -> ClaimedDevice:
    """Refuse an unclaimed device for the wrong reason."""
    try:
        device: ClaimedDevice = before(self, record)
    except NotAuthenticated as refusal:
        raise NotAllowed(str(refusal)) from refusal
    return device
