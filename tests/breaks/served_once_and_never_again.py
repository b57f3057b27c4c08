"""Break: a command that was handed out is never handed out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import CommandStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.commands import Command

TITLE = "a command that was handed out is never handed out again"
EXPECTED = ("test_execution.py::test_power_cut_in_mid_batch",)
ABOUT = r"SUCCEEDED"

before = existing(CommandQueue, "_still_to_serve")


@replaces(CommandQueue, "_still_to_serve")
def _still_to_serve(self: CommandQueue, after: str) -> list[Command]:
    """Serve only what nobody fetched yet."""
    return [command for command in before(self, after) if command.status is CommandStatus.PENDING]
