"""Break: the board reports writes that it never does."""

from __future__ import annotations

from harness_nordic.virtual import wire
from harness_nordic.virtual.execution import CommandRunner
from tests.breaks.support.patching import existing, replaces

TITLE = "the board reports writes that it never does"
EXPECTED = (
    "test_commands.py::test_server_certificate",
    "test_commands.py::test_client_certificate",
    "test_commands.py::test_client_private_key",
    "test_commands.py::test_pre_shared_key",
    "test_execution.py::test_commands_run_in_order",
    "test_execution.py::test_many_commands_are_split_over_fetches",
    "test_execution.py::test_command_after_provisioned",
    "test_blocking.py::test_unblocked_board_runs_its_commands",
    "test_unclaiming.py::test_unclaim_leaves_the_board_alone",
    "test_credential_store.py::test_credentials_survive_a_power_cycle",
)
ABOUT = r"held|pem_digest"

before = existing(CommandRunner, "execute")


@replaces(CommandRunner, "execute")
def execute(self: CommandRunner, command: wire.AtCommand | wire.ConfigCommand) -> wire.Response:
    """Say OK to a write."""
    if isinstance(command, wire.AtCommand) and command.parameters.startswith("0,"):
        return wire.AtDone(command.id, "OK\r\n")
    response: wire.Response = before(self, command)
    return response
