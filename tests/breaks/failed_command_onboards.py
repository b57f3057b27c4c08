"""Break: a device is onboarded although a command of its rule failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.commands import Command

TITLE = "a device is onboarded although a command of its rule failed"
EXPECTED = ("test_auto_onboarding.py::test_onboarding_that_fails",)
ABOUT = r"core"

before = existing(CommandQueue, "_fail")


@replaces(CommandQueue, "_fail")
def _fail(self: CommandQueue, command: Command, cme_error: int, message: str) -> None:
    """Tell of everything as if it had succeeded."""
    before(self, command, cme_error, message)
    for each in self.commands():
        self.on_success(each.id)
