"""Break: the next command is sent although the reply to one that timed out is still to come."""

from __future__ import annotations

from harness.console.console import Console
from tests.breaks.support.patching import replaces

TITLE = "the next command is sent although the reply to one that timed out is still to come"
NOTICED_BY = ("tests/console/test_console.py::test_next_command_waits_for_a_late_reply",)
ABOUT = r"fast data"


@replaces(Console, "_settle_debt")
def settle_debt(self: Console) -> None:
    """Wait for nothing."""
    self._owed = None
