"""Break: the shell takes an interval and polls as before."""

from __future__ import annotations

from harness_nordic.virtual.shell_firmware import FirmwareCommands
from tests.breaks.support.patching import replaces

TITLE = "the shell takes an interval and polls as before"
EXPECTED = ("test_shell_provisioning.py::test_interval[at-shell]",)
ABOUT = r"schedule"


@replaces(FirmwareCommands, "_interval")
def _interval(self: FirmwareCommands, words: list[str]) -> None:
    """Do nothing."""
