"""Break: the board goes on behind a command that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual import wire
from harness_nordic.virtual.execution import CommandRunner
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

TITLE = "the board goes on behind a command that failed"
EXPECTED = ("test_execution.py::test_commands_behind_a_failing_one_wait",)
ABOUT = r"held|finished"


@replaces(CommandRunner, "run")
def run(self: CommandRunner, commands: Sequence[wire.Command]) -> tuple[list[wire.Response], str, bool]:
    """Execute all of it, and report up to the failure."""
    responses: list[wire.Response] = []
    failed = False
    finished: wire.FinishedCommand | None = None
    for command in commands:
        if isinstance(command, wire.FinishedCommand):
            finished = command
            continue
        response = self.execute(command)
        if not failed:
            responses.append(response)
        failed = failed or isinstance(response, wire.Failed)
    if finished is not None and not failed:
        responses.append(wire.FinishedAck(finished.id))
    return responses, commands[-1].id, finished is not None and not failed
