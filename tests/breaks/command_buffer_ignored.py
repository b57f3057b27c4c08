"""Break: the service sends AT commands that are longer than the device's buffer for them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.batches import Batch, DeviceLimits

TITLE = "the service sends AT commands that are longer than the device's buffer for them"
EXPECTED = ("test_sizes.py::test_longer_than_the_buffer_for_commands",)
ABOUT = r"NO_COMMANDS"

before = existing(CommandQueue, "hand_out")


@replaces(CommandQueue, "hand_out")
def hand_out(self: CommandQueue, after: str, limits: DeviceLimits) -> Batch:
    """Do not ask for that buffer."""
    batch: Batch = before(self, after, dataclasses.replace(limits, command_bytes=None))
    return batch
