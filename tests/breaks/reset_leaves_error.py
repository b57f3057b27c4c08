"""Break: a reset leaves the device in ERROR."""

from __future__ import annotations

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

TITLE = "a reset leaves the device in ERROR"
EXPECTED = (
    "test_command_control.py::test_reset_after_an_error",
    "test_command_control.py::test_reset_lets_the_followers_run",
)
ABOUT = r"PENDING|finished"

before = existing(CommandQueue, "reset")


@replaces(CommandQueue, "reset")
def reset(self: CommandQueue) -> None:
    """Let the commands wait, and the device too."""
    before(self)
    self.device_status = DeviceStatus.ERROR
