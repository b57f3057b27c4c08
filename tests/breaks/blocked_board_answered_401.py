"""Break: a blocked board is told that it is not claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.refusals import NotAllowed, NotAuthenticated
from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice, FactoryRecord

TITLE = "a blocked board is told that it is not claimed"
EXPECTED = (
    "test_blocking.py::test_blocked_board_keeps_its_commands_pending",
    "test_blocking.py::test_unblocked_board_runs_its_commands",
)
ABOUT = r"refused_with == .*403"

before = existing(ProvisioningService, "served_device")


@replaces(ProvisioningService, "served_device")
def served_device(self: ProvisioningService, record: FactoryRecord) -> ClaimedDevice:
    """Refuse a blocked device for the wrong reason."""
    try:
        device: ClaimedDevice = before(self, record)
    except NotAllowed as refusal:
        raise NotAuthenticated(str(refusal)) from refusal
    return device
