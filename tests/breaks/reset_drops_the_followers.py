"""Break: a reset drops what waited behind the failed command."""

from __future__ import annotations

from harness_nordic.enums import CommandStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

TITLE = "a reset drops what waited behind the failed command"
EXPECTED = ("test_command_control.py::test_reset_lets_the_followers_run",)
ABOUT = r"finished"

before = existing(CommandQueue, "reset")


@replaces(CommandQueue, "reset")
def reset(self: CommandQueue) -> None:
    """Keep only what failed."""
    self._drop([each for each in self.commands() if each.status is CommandStatus.PENDING])
    before(self)
