"""Break: a discard forgets that the device was provisioned."""

from __future__ import annotations

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

TITLE = "a discard forgets that the device was provisioned"
EXPECTED = ("test_command_control.py::test_discard_after_provisioning",)
ABOUT = r"PROVISIONED"

before = existing(CommandQueue, "discard")


@replaces(CommandQueue, "discard")
def discard(self: CommandQueue) -> None:
    """Begin as after the claim."""
    self._was_provisioned = False
    before(self)
