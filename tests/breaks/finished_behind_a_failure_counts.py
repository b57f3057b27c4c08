"""Break: finished counts although a command before it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import CommandStatus, CommandType, DeviceStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.wire import DeviceReport

TITLE = "finished counts although a command before it failed"
EXPECTED = ("test_reports.py::test_finished_behind_a_failure",)
ABOUT = r"status"

before = existing(CommandQueue, "take_reports")


@replaces(CommandQueue, "take_reports")
def take_reports(self: CommandQueue, reports: Sequence[DeviceReport]) -> None:
    """Let finished count in any case."""
    before(self, reports)
    for report in reports:
        command = self._steps.get(report.id)
        if command is not None and command.type is CommandType.FINISHED:
            command.status = CommandStatus.SUCCEEDED
            self.device_status = DeviceStatus.PROVISIONED
