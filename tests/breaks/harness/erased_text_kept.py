"""Break: what a shell erases before it logs something is read with the line."""

from __future__ import annotations

from harness.console import zephyr_shell
from tests.breaks.support.patching import replaces

TITLE = "what a shell erases before it logs something is read with the line"
NOTICED_BY = ("tests/console/test_zephyr_shell.py::test_line_is_shown[erased]",)
ABOUT = r"shown_text"


@replaces(zephyr_shell, "_obey")
def _obey(cells: list[str], column: int, parameters: str, function: str) -> int:
    """Write on where the line ends."""
    return column
