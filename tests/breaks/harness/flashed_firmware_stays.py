"""Break: firmware that a test has written stays on the board."""

from __future__ import annotations

from harness_nordic.virtual.controls import Controls
from tests.breaks.support.patching import existing, replaces

TITLE = "firmware that a test has written stays on the board"
NOTICED_BY = ("tests/nordic/virtual/test_shell.py::test_firmware_is_written_anew",)
ABOUT = r"Ready|at-host"

clear = existing(Controls, "clear_faults")


@replaces(Controls, "clear_faults")
def clear_faults(self: Controls) -> None:
    """Take what runs now for what was built."""
    self._built.discipline = self._agent.settings.discipline
    clear(self)
