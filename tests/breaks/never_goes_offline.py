"""Break: the board writes credentials without taking the modem offline."""

from __future__ import annotations

from harness_nordic.virtual.session import Session
from tests.breaks.support.patching import replaces

TITLE = "the board writes credentials without taking the modem offline"
EXPECTED = (
    "test_commands.py::test_server_certificate",
    "test_commands.py::test_cloud_access_key",
)
ABOUT = r"SUCCEEDED"


@replaces(Session, "_go_offline")
def _go_offline(self: Session) -> None:
    """Stay as it is."""
