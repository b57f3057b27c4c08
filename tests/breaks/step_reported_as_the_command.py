"""Break: the report of a preparatory step decides about its command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceReportType
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.commands import Command
    from harness_nordic.fake.wire import DeviceReport

TITLE = "the report of a preparatory step decides about its command"
EXPECTED = ("test_commands.py::test_certificate_signing_request", "test_commands.py::test_cloud_access_key")
ABOUT = r"SUCCEEDED"

before = existing(CommandQueue, "_apply")


@replaces(CommandQueue, "_apply")
def _apply(self: CommandQueue, command: Command, report: DeviceReport) -> None:
    """Take every step for the main one."""
    if report.type is DeviceReportType.AT_DONE and report.id != command.main_step.id:
        self._at_done(command, report.message)
    else:
        before(self, command, report)
