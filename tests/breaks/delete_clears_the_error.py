"""Break: deleting the failed command takes the device out of ERROR."""

from __future__ import annotations

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

TITLE = "deleting the failed command takes the device out of ERROR"
EXPECTED = ("test_command_control.py::test_delete_the_failed_command",)
ABOUT = r"ERROR"

before = existing(CommandQueue, "delete")


@replaces(CommandQueue, "delete")
def delete(self: CommandQueue, identifier: str) -> None:
    """Settle in any case."""
    before(self, identifier)
    self._settle()
