"""Break: a command that was reported done stays IN_PROGRESS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.command_queue import CommandQueue
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from typing import Any

    from harness_nordic.fake.commands import Command

TITLE = "a command that was reported done stays IN_PROGRESS"
EXPECTED = (
    "test_commands.py::test_server_certificate",
    "test_commands.py::test_cloud_access_key",
    "test_commands.py::test_configuration",
    "test_execution.py::test_commands_run_in_order",
)
ABOUT = r"SUCCEEDED"


@replaces(CommandQueue, "_succeed")
def _succeed(self: CommandQueue, command: Command, result: dict[str, Any]) -> None:
    """Note the response and leave the status."""
    command.response = {command.type.value: result}
