"""Break: finished does not make the device PROVISIONED."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness_nordic.fake.wire import DeviceReport

TITLE = "finished does not make the device PROVISIONED"
EXPECTED = (
    "test_commands.py::test_finished",
    "test_blocking.py::test_unblocked_board_runs_its_commands",
    "test_execution.py::test_command_after_provisioned",
    "test_execution.py::test_done_without_finished",
)
ABOUT = r"PROVISIONED"

before = existing(CommandQueue, "take_reports")


@replaces(CommandQueue, "take_reports")
def take_reports(self: CommandQueue, reports: Sequence[DeviceReport]) -> None:
    """Never get to the end."""
    before(self, reports)
    if self.device_status is DeviceStatus.PROVISIONED:
        self.device_status = DeviceStatus.PENDING
