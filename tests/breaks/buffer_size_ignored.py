"""Break: the service sends more bytes than the device has room for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.batches import DeviceLimits
    from harness_nordic.fake.wire import DeviceCommand

TITLE = "the service sends more bytes than the device has room for"
EXPECTED = (
    "test_execution.py::test_many_commands_are_split_over_fetches",
    "test_sizes.py::test_boards_of_different_sizes*",
)
ABOUT = r"finished|NO_COMMANDS|most"

before = existing(CommandQueue, "hand_out")


@replaces(CommandQueue, "hand_out")
def hand_out(self: CommandQueue, after: str, limits: DeviceLimits) -> list[DeviceCommand]:
    """Do not measure."""
    batch: list[DeviceCommand] = before(self, after, dataclasses.replace(limits, receive_bytes=None))
    return batch
