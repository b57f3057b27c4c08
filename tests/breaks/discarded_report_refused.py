"""Break: the report of a command that was discarded meanwhile is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.wire import DeviceReport

TITLE = "the report of a command that was discarded meanwhile is refused"
EXPECTED = ("test_command_control.py::test_discard_while_the_board_executes",)
ABOUT = r"200"

before = existing(CommandQueue, "_check")


@replaces(CommandQueue, "_check")
def _check(self: CommandQueue, report: DeviceReport) -> None:
    """Forget what the device got."""
    self._served_and_gone.clear()
    before(self, report)
