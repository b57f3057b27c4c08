"""Break: what a test breaks on purpose stays broken."""

from __future__ import annotations

from harness_nordic.virtual.controls import Controls
from tests.breaks.support.patching import replaces

TITLE = "faults outlive the test that ordered them"
EXPECTED = ("test_board_answers.py::test_faults_end_together",)
ABOUT = r"still"


@replaces(Controls, "clear_faults")
def clear_faults(self: Controls) -> None:
    """End nothing."""
