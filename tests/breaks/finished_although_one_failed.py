"""Break: the board acknowledges finished although a command failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual import wire
from harness_nordic.virtual.execution import CommandRunner
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

TITLE = "the board acknowledges finished although a command failed"
EXPECTED = ("test_execution.py::test_commands_behind_a_failing_one_wait",)
ABOUT = r"finished"

before = existing(CommandRunner, "run")


@replaces(CommandRunner, "run")
def run(self: CommandRunner, commands: Sequence[wire.Command]) -> tuple[list[wire.Response], str, bool]:
    """Acknowledge finished whatever happened."""
    responses, last, done = before(self, commands)
    finished = next((each for each in commands if isinstance(each, wire.FinishedCommand)), None)
    if finished is not None and not done:
        responses.append(wire.FinishedAck(finished.id))
        done = True
    return responses, last, done
