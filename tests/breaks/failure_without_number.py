"""Break: the service does not tell the number of the board's error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.commands import Command

TITLE = "the service does not tell the number of the board's error"
EXPECTED = ("test_execution.py::test_command_that_the_board_refuses",)
ABOUT = r"527"

before = existing(CommandQueue, "_fail")


@replaces(CommandQueue, "_fail")
def _fail(self: CommandQueue, command: Command, cme_error: int, message: str) -> None:
    """Keep the number to itself."""
    before(self, command, 0, "failed")
