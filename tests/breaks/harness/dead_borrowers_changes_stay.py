"""Break: what a worker changed on a borrowed board, and died, is found by nobody."""

from __future__ import annotations

from harness.pytest_plugin.shared_boards import SharedBoards
from tests.breaks.support.patching import replaces

TITLE = "what a worker changed on a borrowed board, and died, is found by nobody"
NOTICED_BY = (
    "tests/pytest_plugin/test_lending.py::test_who_borrowed_it_died",
    "tests/pytest_plugin/test_lending.py::test_the_next_who_borrows_it_puts_it_back_too",
)
ABOUT = r"value_of"


@replaces(SharedBoards, "needs_restoring")
def needs_restoring(self: SharedBoards, board_id: str) -> bool:
    """Trust every board."""
    return False
