"""Break: a board that a failed test keeps in one worker is used by the others."""

from __future__ import annotations

from harness.pytest_plugin.shared_boards import SharedBoards
from tests.breaks.support.patching import replaces

TITLE = "a board that a failed test keeps in one worker is used by the others"
NOTICED_BY = ("tests/pytest_plugin/test_lending.py::test_a_board_that_is_kept*",)
ABOUT = r"\.kept"


@replaces(SharedBoards, "kept_by")
def kept_by(self: SharedBoards, board_id: str) -> str | None:
    """Know of none."""
    return None
