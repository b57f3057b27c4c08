"""Break: the report of a test shows what a board said before, when its console is opened anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin import lending
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "the report of a test shows what a board said before, when its console is opened anew"
NOTICED_BY = ("tests/pytest_plugin/test_lending.py::test_what_a_board_said_before_is_not_in_the_next_report",)
ABOUT = r"said\.count"


@replaces(lending, "captured_size")
def captured_size(directory: Path, name: str) -> int:
    """Begin where the capture began."""
    return 0
