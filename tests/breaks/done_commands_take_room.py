"""Break: commands that are done count among the 20."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import MOST_OPEN_COMMANDS, CommandQueue
from harness_nordic.fake.refusals import BadRequest
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from typing import Any

    from harness_nordic.enums import CommandType
    from harness_nordic.fake.commands import Command

TITLE = "commands that are done count among the 20"
EXPECTED = ("test_commands.py::test_twenty_commands_and_no_more",)
ABOUT = r"201"

before = existing(CommandQueue, "add")


@replaces(CommandQueue, "add")
def add(
    self: CommandQueue, command_type: CommandType, fields: dict[str, Any], description: str, created_at: str
) -> Command:
    """Count every command there ever was."""
    if len(self._commands) >= MOST_OPEN_COMMANDS:
        raise BadRequest("too many commands")
    command: Command = before(self, command_type, fields, description=description, created_at=created_at)
    return command
