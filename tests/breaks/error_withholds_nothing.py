"""Break: behind a failed command the queue is served on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.batches import DeviceLimits
    from harness_nordic.fake.wire import DeviceCommand

TITLE = "behind a failed command the queue is served on"
EXPECTED = ("test_execution.py::test_commands_behind_a_failing_one_wait",)
ABOUT = r"finished|PENDING"

before = existing(CommandQueue, "hand_out")


@replaces(CommandQueue, "hand_out")
def hand_out(self: CommandQueue, after: str, limits: DeviceLimits) -> list[DeviceCommand]:
    """Serve a device in ERROR too."""
    status, self.device_status = self.device_status, DeviceStatus.PENDING
    batch: list[DeviceCommand] = before(self, after, limits)
    if self.device_status is DeviceStatus.PENDING:
        self.device_status = status
    return batch
