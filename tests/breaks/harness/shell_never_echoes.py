"""Break: the driver never sees what a shell echoes, and takes every plain error for an AT host's."""

from __future__ import annotations

from harness_nordic.driver_shell import ShellDialect
from tests.breaks.support.patching import replaces

TITLE = "the driver takes every plain error behind a shell for an AT host's"
NOTICED_BY = ("tests/nordic/test_driver_line.py::test_errors_of_a_modem_behind_a_shell",)
ABOUT = r"shell\.typed"


@replaces(ShellDialect, "echoed")
def echoed(self: ShellDialect) -> bool:
    """See nothing."""
    return False
