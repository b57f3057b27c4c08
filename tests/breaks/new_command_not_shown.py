"""Break: a device with a new command does not become PENDING."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from typing import Any

    from harness_nordic.enums import CommandType
    from harness_nordic.fake.commands import Command

TITLE = "a device with a new command does not become PENDING"
EXPECTED = (
    "test_commands.py::test_created_command_is_pending",
    "test_execution.py::test_command_after_provisioned",
    "test_blocking.py::test_unblock_restores_the_status",
)
ABOUT = r"PENDING"

before = existing(CommandQueue, "add")


@replaces(CommandQueue, "add")
def add(
    self: CommandQueue, command_type: CommandType, fields: dict[str, Any], description: str, created_at: str
) -> Command:
    """Add a command, and leave the device's status."""
    status = self.device_status
    command: Command = before(self, command_type, fields, description=description, created_at=created_at)
    self.device_status = status
    return command
