"""Break: a report of a command that is another claim's is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.wire import DeviceReport

TITLE = "a report of a command that is another claim's is accepted"
EXPECTED = ("test_reports.py::test_report_of_a_strange_command",)
ABOUT = r"400"

before = existing(CommandQueue, "_check")


@replaces(CommandQueue, "_check")
def _check(self: CommandQueue, report: DeviceReport) -> None:
    """Mind nothing that is not ours."""
    if report.id in self._steps:
        before(self, report)
