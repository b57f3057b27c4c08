"""Break: a blocked device shows the status that it had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.records import ClaimedDevice
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.enums import DeviceStatus

TITLE = "a blocked device shows the status that it had"
EXPECTED = (
    "test_blocking.py::test_block",
    "test_blocking.py::test_unblock_restores_the_status",
    "test_blocking.py::test_command_for_a_blocked_device",
)
ABOUT = r"BLOCKED"


@replaces(ClaimedDevice, "status")
def status(self: ClaimedDevice) -> DeviceStatus:
    """Say nothing of a block."""
    return self.queue.device_status
