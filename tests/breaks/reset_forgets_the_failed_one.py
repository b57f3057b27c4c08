"""Break: a reset leaves what failed as it is."""

from __future__ import annotations

from harness_nordic.enums import CommandStatus
from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import existing, replaces

TITLE = "a reset leaves what failed as it is"
EXPECTED = (
    "test_command_control.py::test_reset_after_an_error",
    "test_command_control.py::test_reset_lets_the_followers_run",
)
ABOUT = r"PENDING|SUCCEEDED"

before = existing(CommandQueue, "reset")


@replaces(CommandQueue, "reset")
def reset(self: CommandQueue) -> None:
    """Clear the error and nothing else."""
    failed = [each for each in self.commands() if each.status is CommandStatus.FAILED]
    before(self)
    for command in failed:
        command.status = CommandStatus.FAILED
