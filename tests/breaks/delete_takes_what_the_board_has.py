"""Break: a command is deleted while the board executes it."""

from __future__ import annotations

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import replaces

TITLE = "a command is deleted while the board executes it"
EXPECTED = ("test_command_control.py::test_delete_a_command_in_progress",)
ABOUT = r"refused|DID NOT RAISE"


@replaces(CommandQueue, "delete")
def delete(self: CommandQueue, identifier: str) -> None:
    """Look at no status."""
    self._drop([self.command(identifier)])
    self._settle()
