"""Break: a second report of a command replaces the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import CommandStatus, DeviceStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.wire import DeviceReport

TITLE = "a second report of a command replaces the first"
EXPECTED = (
    "test_reports.py::test_late_failure",
    "test_reports.py::test_late_success",
)
ABOUT = r"status"

before = existing(CommandQueue, "take_reports")


@replaces(CommandQueue, "take_reports")
def take_reports(self: CommandQueue, reports: Sequence[DeviceReport]) -> None:
    """Open again what is reported again."""
    for report in reports:
        command = self._steps.get(report.id)
        if command is not None and not command.open:
            command.status = CommandStatus.IN_PROGRESS
            self.device_status = DeviceStatus.PENDING
    before(self, reports)
