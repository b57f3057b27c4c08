"""Break: a new command takes a device out of ERROR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from typing import Any

    from harness_nordic.enums import CommandType
    from harness_nordic.fake.commands import Command

TITLE = "a new command takes a device out of ERROR"
EXPECTED = ("test_execution.py::test_command_after_error",)
ABOUT = r"ERROR"

before = existing(CommandQueue, "add")


@replaces(CommandQueue, "add")
def add(
    self: CommandQueue, command_type: CommandType, fields: dict[str, Any], description: str, created_at: str
) -> Command:
    """Add a command, and forget that one failed."""
    command: Command = before(self, command_type, fields, description=description, created_at=created_at)
    self.device_status = DeviceStatus.PENDING
    return command
