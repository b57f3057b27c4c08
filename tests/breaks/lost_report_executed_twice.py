"""Break: a command whose report was lost is executed again at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.commands import Command

TITLE = "a command whose report was lost is executed again at once"
EXPECTED = (
    "test_service_faults.py::test_report_that_is_not_processed*",
    "test_service_faults.py::test_new_command_after_a_lost_report",
)
ABOUT = r"GET|IN_PROGRESS"

before = existing(CommandQueue, "_still_to_serve")


@replaces(CommandQueue, "_still_to_serve")
def _still_to_serve(self: CommandQueue, after: str) -> list[Command]:
    """Do not listen to what the device says that it did."""
    serve: list[Command] = before(self, after[:0])
    return serve
