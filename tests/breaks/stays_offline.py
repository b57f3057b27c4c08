"""Break: the board stays offline after it wrote credentials."""

from __future__ import annotations

from harness_nordic.virtual.session import Session
from tests.breaks.support.patching import replaces

TITLE = "the board stays offline after it wrote credentials"
EXPECTED = ("test_execution.py::test_board_is_online_again",)
ABOUT = r"functional_mode"


@replaces(Session, "_go_online")
def _go_online(self: Session) -> None:
    """Stay as it is."""
