"""Break: a device stays PENDING after its only command was deleted."""

from __future__ import annotations

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

TITLE = "a device stays PENDING after its only command was deleted"
EXPECTED = ("test_command_control.py::test_delete_the_only_command",)
ABOUT = r"READY"

before = existing(CommandQueue, "delete")


@replaces(CommandQueue, "delete")
def delete(self: CommandQueue, identifier: str) -> None:
    """Leave the device's status."""
    status = self.device_status
    before(self, identifier)
    self.device_status = status
