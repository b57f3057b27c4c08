"""Break: a discard leaves the device in ERROR."""

from __future__ import annotations

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

TITLE = "a discard leaves the device in ERROR"
EXPECTED = ("test_command_control.py::test_discard_after_an_error",)
ABOUT = r"READY"

before = existing(CommandQueue, "discard")


@replaces(CommandQueue, "discard")
def discard(self: CommandQueue) -> None:
    """Drop the queue and keep the error."""
    status = self.device_status
    before(self)
    if status is DeviceStatus.ERROR:
        self.device_status = status
