"""Break: a device may have 21 open commands."""

from __future__ import annotations

from harness_nordic.fake import command_queue
from tests.breaks.support.patching import sets

TITLE = "a device may have 21 open commands"
EXPECTED = ("test_commands.py::test_twenty_commands_and_no_more",)
ABOUT = r"RequestRefused|refused"

sets(command_queue, "MOST_OPEN_COMMANDS", 21)
