"""Break: a deleted command is still there."""

from __future__ import annotations

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import replaces

TITLE = "a deleted command is still there"
EXPECTED = (
    "test_command_control.py::test_delete_a_pending_command",
    "test_command_control.py::test_delete_the_only_command",
    "test_command_control.py::test_delete_a_done_command",
)
ABOUT = r"None|READY"


@replaces(CommandQueue, "delete")
def delete(self: CommandQueue, identifier: str) -> None:
    """Only ask whether it exists."""
    self.command(identifier)
