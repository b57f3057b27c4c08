"""Break: the service sends two steps to a device that takes one command."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.batches import Batch, DeviceLimits

TITLE = "the service sends two steps to a device that takes one command"
EXPECTED = ("test_sizes.py::test_key_for_a_board_that_takes_one_command",)
ABOUT = r"FAILED"

before = existing(CommandQueue, "hand_out")


@replaces(CommandQueue, "hand_out")
def hand_out(self: CommandQueue, after: str, limits: DeviceLimits) -> Batch:
    """Take one more than the device does."""
    batch: Batch = before(self, after, dataclasses.replace(limits, commands=limits.commands + 1))
    return batch
