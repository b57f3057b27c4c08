"""Break: a device whose command failed does not show ERROR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.commands import Command

TITLE = "a device whose command failed does not show ERROR"
EXPECTED = ("test_execution.py::test_command_that_the_board_refuses",)
ABOUT = r"DeviceStatus.ERROR"

before = existing(CommandQueue, "_fail")


@replaces(CommandQueue, "_fail")
def _fail(self: CommandQueue, command: Command, cme_error: int, message: str) -> None:
    """Fail the command alone."""
    before(self, command, cme_error, message)
    self.device_status = DeviceStatus.PENDING
