"""Break: the description of a command is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from typing import Any

    from harness_nordic.enums import CommandType
    from harness_nordic.fake.commands import Command

TITLE = "the description of a command is dropped"
EXPECTED = ("test_commands.py::test_created_command_is_pending",)
ABOUT = r"description"

before = existing(CommandQueue, "add")


@replaces(CommandQueue, "add")
def add(
    self: CommandQueue, command_type: CommandType, fields: dict[str, Any], description: str, created_at: str
) -> Command:
    """Add a command without its description."""
    command: Command = before(self, command_type, fields, description="", created_at=created_at)
    return command
