"""Break: a reset opens more than 20 commands."""

from __future__ import annotations

from harness_nordic.fake import command_queue
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

TITLE = "a reset opens more than 20 commands"
EXPECTED = ("test_command_control.py::test_reset_beyond_the_most",)
ABOUT = r"refused|DID NOT RAISE"

before = existing(CommandQueue, "reset")


@replaces(CommandQueue, "reset")
def reset(self: CommandQueue) -> None:
    """Count to a hundred."""
    command_queue.MOST_OPEN_COMMANDS = 100
    try:
        before(self)
    finally:
        command_queue.MOST_OPEN_COMMANDS = 20
