"""Break: a report of a command that was never handed out is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import CommandStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.wire import DeviceReport

TITLE = "a report of a command that was never handed out is accepted"
EXPECTED = ("test_reports.py::test_report_of_a_waiting_command",)
ABOUT = r"400"

before = existing(CommandQueue, "_check")


@replaces(CommandQueue, "_check")
def _check(self: CommandQueue, report: DeviceReport) -> None:
    """Take what waits for what is in progress."""
    command = self._steps.get(report.id)
    if command is not None and command.status is CommandStatus.PENDING:
        command.status = CommandStatus.IN_PROGRESS
    before(self, report)
