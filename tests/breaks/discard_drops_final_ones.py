"""Break: a discard drops the commands that are final too."""

from __future__ import annotations

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

TITLE = "a discard drops the commands that are final too"
EXPECTED = (
    "test_command_control.py::test_discard_after_an_error",
    "test_command_control.py::test_discard_after_provisioning",
)
ABOUT = r"commands\(\)"

before = existing(CommandQueue, "discard")


@replaces(CommandQueue, "discard")
def discard(self: CommandQueue) -> None:
    """Drop everything."""
    before(self)
    self._drop(self.commands())
