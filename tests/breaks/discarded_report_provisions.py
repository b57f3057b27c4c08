"""Break: the report of a discarded command makes the device PROVISIONED."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.wire import DeviceReport

TITLE = "the report of a discarded command makes the device PROVISIONED"
EXPECTED = ("test_command_control.py::test_discard_while_the_board_executes",)
ABOUT = r"READY"

before = existing(CommandQueue, "take_reports")


@replaces(CommandQueue, "take_reports")
def take_reports(self: CommandQueue, reports: Sequence[DeviceReport]) -> None:
    """Let what is gone count."""
    before(self, reports)
    if any(report.id in self._served_and_gone for report in reports):
        self.device_status = DeviceStatus.PROVISIONED
