"""Break: a discard clears the error and keeps the queue."""

from __future__ import annotations

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import replaces

TITLE = "a discard clears the error and keeps the queue"
EXPECTED = (
    "test_command_control.py::test_discard_after_an_error",
    "test_command_control.py::test_discard_after_provisioning",
)
ABOUT = r"commands|READY|PROVISIONED"


@replaces(CommandQueue, "discard")
def discard(self: CommandQueue) -> None:
    """Drop nothing."""
    self._settle()
