"""Break: a new command leaves a provisioned device PROVISIONED."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from typing import Any

    from harness_nordic.enums import CommandType
    from harness_nordic.fake.commands import Command

TITLE = "a new command leaves a provisioned device PROVISIONED"
EXPECTED = ("test_execution.py::test_command_after_provisioned",)
ABOUT = r"PENDING"

before = existing(CommandQueue, "add")


@replaces(CommandQueue, "add")
def add(
    self: CommandQueue, command_type: CommandType, fields: dict[str, Any], description: str, created_at: str
) -> Command:
    """Add a command, and keep showing what was reached."""
    provisioned = self.device_status is DeviceStatus.PROVISIONED
    command: Command = before(self, command_type, fields, description=description, created_at=created_at)
    if provisioned:
        self.device_status = DeviceStatus.PROVISIONED
    return command
