"""Break: the driver takes what a modem behind a shell says unasked for a part of its reply."""

from __future__ import annotations

from harness_nordic.driver_shell import ShellDialect
from tests.breaks.support.patching import replaces

TITLE = "the driver takes notifications behind a shell for a part of the reply"
EXPECTED = ("test_shell_discipline.py::test_notification_amid_a_reply[at-shell]",)
ABOUT = r"imei"


@replaces(ShellDialect, "is_unsolicited")
def is_unsolicited(self: ShellDialect, line: str) -> bool:
    """Take everything for a reply."""
    return False
