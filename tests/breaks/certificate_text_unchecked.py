"""Break: the board takes any text for a certificate (no error 527)."""

from __future__ import annotations

from harness_nordic.virtual import credentials
from tests.breaks.support.patching import replaces

TITLE = "the board takes any text for a certificate (no error 527)"
EXPECTED = (
    "test_execution.py::test_command_that_the_board_refuses",
    "test_execution.py::test_commands_behind_a_failing_one_wait",
)
ABOUT = r"FAILED|finished"


@replaces(credentials, "is_certificate")
def is_certificate(text: str) -> bool:
    """Look at nothing."""
    return True
