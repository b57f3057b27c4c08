"""Break: the board reports an error that it was told to ignore."""

from __future__ import annotations

from harness_nordic.virtual import execution, wire
from tests.breaks.support.patching import existing, replaces

TITLE = "the board reports an error that it was told to ignore"
EXPECTED = (
    "test_commands.py::test_cloud_access_key",
    "test_commands.py::test_certificate_signing_request",
    "test_commands.py::test_client_private_key_generation",
)
ABOUT = r"SUCCEEDED"

before = existing(execution, "_judge")


@replaces(execution, "_judge")
def _judge(command: wire.AtCommand, reply: str | None) -> wire.Response:
    """Know of nothing to ignore."""
    strict = wire.AtCommand(command.id, command.set_command, command.parameters, ())
    response: wire.Response = before(strict, reply)
    return response
