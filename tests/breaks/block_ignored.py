"""Break: a blocked board gets its commands all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.refusals import NotAuthenticated
from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice, FactoryRecord

TITLE = "a blocked board gets its commands all the same"
EXPECTED = (
    "test_blocking.py::test_blocked_board_keeps_its_commands_pending",
    "test_blocking.py::test_unblocked_board_runs_its_commands",
    "test_blocking.py::test_command_for_a_blocked_device",
)
ABOUT = r"refused_with == .*403"


@replaces(ProvisioningService, "served_device")
def served_device(self: ProvisioningService, record: FactoryRecord) -> ClaimedDevice:
    """Ask only whether the device is claimed."""
    device = self._claims.get(record.id)
    if device is None:
        raise NotAuthenticated("the device is not claimed")
    return device
