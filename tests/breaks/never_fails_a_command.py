"""Break: the service takes a failed command for a success."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.fake.commands import Command

TITLE = "the service takes a failed command for a success"
EXPECTED = (
    "test_execution.py::test_command_that_the_board_refuses",
    "test_execution.py::test_commands_behind_a_failing_one_wait",
)
ABOUT = r"FAILED|finished"


@replaces(CommandQueue, "_fail")
def _fail(self: CommandQueue, command: Command, cme_error: int, message: str) -> None:
    """Call it done."""
    self._succeed(command, {"message": "OK"})
