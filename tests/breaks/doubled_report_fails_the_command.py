"""Break: a report that arrives twice fails its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import CommandStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.wire import DeviceReport

TITLE = "a report that arrives twice fails its commands"
EXPECTED = (
    "test_service_faults.py::test_report_delivered_twice",
    "test_service_faults.py::test_commands_served_again",
)
ABOUT = r"SUCCEEDED"

before = existing(CommandQueue, "take_reports")


@replaces(CommandQueue, "take_reports")
def take_reports(self: CommandQueue, reports: Sequence[DeviceReport]) -> None:
    """Take a command that is reported again for one that went wrong."""
    again = [command for report in reports if (command := self._steps.get(report.id)) and not command.open]
    before(self, reports)
    for command in again:
        command.status = CommandStatus.FAILED
