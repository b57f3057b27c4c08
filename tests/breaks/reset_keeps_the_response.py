"""Break: a command that waits again still shows how it failed."""

from __future__ import annotations

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

TITLE = "a command that waits again still shows how it failed"
EXPECTED = ("test_command_control.py::test_reset_after_an_error",)
ABOUT = r"response"

before = existing(CommandQueue, "reset")


@replaces(CommandQueue, "reset")
def reset(self: CommandQueue) -> None:
    """Put the responses back."""
    responses = [(each, each.response) for each in self.commands()]
    before(self)
    for command, response in responses:
        command.response = response
