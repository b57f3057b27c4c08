"""Break: a board that came back runs no more tests."""

from __future__ import annotations

from typing import Any

from harness.scheduling.dispatch import Dispatcher
from tests.breaks.support.patching import replaces

TITLE = "a board that came back runs no more tests"
NOTICED_BY = (
    "tests/scheduling/test_boards_that_go.py::test_tests_of_the_lost_board_alone_wait_for_its_return",
)
ABOUT = r"the first of them once more"


@replaces(Dispatcher, "return_board")
def return_board(self: Dispatcher[Any], board: str) -> None:
    """Leave it lying."""
