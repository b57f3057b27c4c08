"""Break: a device is PENDING right after its claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_nordic.enums import KeygenOutput
    from harness_nordic.fake.choices import Choices

    Verify = Callable[[str, int, KeygenOutput], None]

TITLE = "a device is PENDING right after its claim"
EXPECTED = (
    "test_claiming.py::test_claimed_device_is_the_board",
    "test_execution.py::test_nothing_to_do",
    "test_unclaiming.py::test_claim_after_unclaim",
)
ABOUT = r"READY"

before = existing(CommandQueue, "__init__")


@replaces(CommandQueue, "__init__")
def begin(self: CommandQueue, verify_keygen: Verify, choices: Choices) -> None:
    """Begin as if something waited."""
    before(self, verify_keygen, choices)
    self.device_status = DeviceStatus.PENDING
