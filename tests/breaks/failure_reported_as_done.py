"""Break: the board reports a refused command as done."""

from __future__ import annotations

from harness_nordic.virtual import execution, wire
from tests.breaks.support.patching import replaces

TITLE = "the board reports a refused command as done"
EXPECTED = (
    "test_execution.py::test_command_that_the_board_refuses",
    "test_execution.py::test_commands_behind_a_failing_one_wait",
)
ABOUT = r"FAILED|finished"


@replaces(execution, "_judge")
def _judge(command: wire.AtCommand, reply: str | None) -> wire.Response:
    """Say OK whatever the modem said."""
    done = reply if reply and reply.endswith("OK\r\n") else "OK\r\n"
    return wire.AtDone(command.id, done)
