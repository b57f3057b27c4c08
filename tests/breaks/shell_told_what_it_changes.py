"""Break: the driver types to a shell what the shell will change."""

from __future__ import annotations

from harness_nordic import driver_shell
from tests.breaks.support.patching import replaces

TITLE = "the driver types to a shell what the shell will change"
EXPECTED = ("test_shell_discipline.py::test_what_a_shell_would_change[at-shell]",)
ABOUT = r"DID NOT RAISE"


@replaces(driver_shell, "typed")
def typed(command: str) -> str:
    """Look at nothing."""
    return "at '" + command.replace("\r", "").replace("\n", r"\n").replace("'", r"\'") + "'"
