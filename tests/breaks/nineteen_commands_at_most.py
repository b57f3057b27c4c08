"""Break: a device may have 19 open commands only."""

from __future__ import annotations

from harness_nordic.fake import command_queue
from tests.breaks.support.patching import sets

TITLE = "a device may have 19 open commands only"
EXPECTED = ("test_commands.py::test_twenty_commands_and_no_more",)
ABOUT = r"201"

sets(command_queue, "MOST_OPEN_COMMANDS", 19)
