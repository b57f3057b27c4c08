"""Break: a reset lets done commands run again."""

from __future__ import annotations

from harness_nordic.enums import CommandStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

TITLE = "a reset lets done commands run again"
EXPECTED = ("test_command_control.py::test_reset_without_an_error",)
ABOUT = r"SUCCEEDED|status"

before = existing(CommandQueue, "reset")


@replaces(CommandQueue, "reset")
def reset(self: CommandQueue) -> None:
    """Let everything wait again."""
    before(self)
    for command in self.commands():
        command.status = CommandStatus.PENDING
        command.response = None
    self._settle()
