"""Break: the device gets its commands in the opposite order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.commands import Command

TITLE = "the device gets its commands in the opposite order"
EXPECTED = (
    "test_execution.py::test_commands_run_in_order",
    "test_execution.py::test_commands_behind_a_failing_one_wait",
)
ABOUT = r"ROOT_CA|SUCCEEDED"

before = existing(CommandQueue, "_still_to_serve")


@replaces(CommandQueue, "_still_to_serve")
def _still_to_serve(self: CommandQueue, after: str) -> list[Command]:
    """Begin with the last."""
    return list(reversed(before(self, after)))
