"""Break: the service skips the command behind the one that the device names in after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.commands import Command

TITLE = "the service skips the command behind the one that the device names in after"
EXPECTED = (
    "test_execution.py::test_many_commands_are_split_over_fetches",
    "test_execution.py::test_more_commands_than_the_board_takes_at_once",
)
ABOUT = r"ROOT_CA|SUCCEEDED|finished"

before = existing(CommandQueue, "_still_to_serve")


@replaces(CommandQueue, "_still_to_serve")
def _still_to_serve(self: CommandQueue, after: str) -> list[Command]:
    """Count one too many as processed."""
    serve: list[Command] = before(self, after)
    return serve[1:] if after in self._steps else serve
