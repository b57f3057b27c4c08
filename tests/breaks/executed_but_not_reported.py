"""Break: the board does what it is told and keeps silent about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.virtual.session import Session
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness_nordic.virtual import wire

TITLE = "the board does what it is told and keeps silent about it"
EXPECTED = (
    "test_commands.py::test_server_certificate",
    "test_commands.py::test_cloud_access_key",
    "test_commands.py::test_finished",
    "test_execution.py::test_reported_command_is_not_served_again",
)
ABOUT = r"SUCCEEDED|provisioning/response"


@replaces(Session, "_report")
def _report(self: Session, responses: list[wire.Response]) -> bool:
    """Report nothing."""
    return True
