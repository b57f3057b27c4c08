"""Break: the board executes each command twice and reports it once."""

from __future__ import annotations

from harness_nordic.virtual import wire
from harness_nordic.virtual.execution import CommandRunner
from tests.breaks.support.patching import existing, replaces

TITLE = "the board executes writes twice"
EXPECTED = (
    "test_transport.py::test_answer_lost_over_tls",
    "test_board_faults.py::test_restart_in_mid_batch",
    "test_power_cuts.py::test_after_each_exchange",
)
ABOUT = r"writes|more than once"

before = existing(CommandRunner, "execute")


@replaces(CommandRunner, "execute")
def execute(self: CommandRunner, command: wire.AtCommand | wire.ConfigCommand) -> wire.Response:
    """Execute a write once more."""
    if isinstance(command, wire.AtCommand) and command.parameters.startswith("0,"):
        before(self, command)
    response: wire.Response = before(self, command)
    return response
