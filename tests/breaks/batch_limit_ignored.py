"""Break: the service sends more commands than the device takes at once."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.batches import DeviceLimits
    from harness_nordic.fake.wire import DeviceCommand

TITLE = "the service sends more commands than the device takes at once"
EXPECTED = ("test_execution.py::test_more_commands_than_the_board_takes_at_once",)
ABOUT = r"finished"

before = existing(CommandQueue, "hand_out")


@replaces(CommandQueue, "hand_out")
def hand_out(self: CommandQueue, after: str, limits: DeviceLimits) -> list[DeviceCommand]:
    """Do not count."""
    batch: list[DeviceCommand] = before(self, after, dataclasses.replace(limits, commands=1000))
    return batch
