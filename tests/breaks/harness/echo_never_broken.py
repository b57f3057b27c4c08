"""Break: the shell's echo runs on behind the last column of the terminal."""

from __future__ import annotations

from harness_nordic.virtual.shell_editor import PROMPT, LineEditor
from tests.breaks.support.patching import replaces

TITLE = "the shell's echo runs on behind the last column of the terminal"
NOTICED_BY = ("tests/nordic/virtual/test_shell_editor.py::test_long_line_is_broken_where_the_terminal_ends",)
ABOUT = r"echo =="


@replaces(LineEditor, "_column")
def _column(self: LineEditor, place: int) -> int:
    """Know no last column."""
    return len(PROMPT) + place
