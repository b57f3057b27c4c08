"""Break: a command is served again although it succeeded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import CommandStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.commands import Command

TITLE = "a command is served again although it succeeded"
EXPECTED = ("test_execution.py::test_reported_command_is_not_served_again",)
ABOUT = r"provisioning/commands"

before = existing(CommandQueue, "_still_to_serve")
served: set[str] = set()


@replaces(CommandQueue, "_still_to_serve")
def _still_to_serve(self: CommandQueue, after: str) -> list[Command]:
    """Serve each command once more after it succeeded."""
    again = [
        command
        for command in self._commands.values()
        if command.status is CommandStatus.SUCCEEDED and command.id not in served
    ]
    served.update(command.id for command in again)
    return [*again, *before(self, after)]
