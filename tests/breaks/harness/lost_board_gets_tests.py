"""Break: a board that is away is given tests."""

from __future__ import annotations

from typing import Any

from harness.scheduling.dispatch import Dispatcher
from tests.breaks.support.patching import replaces

TITLE = "a board that is away is given tests"
NOTICED_BY = (
    "tests/scheduling/test_boards_that_go.py::test_what_a_lost_board_had_not_begun_goes_to_its_equal",
    "tests/scheduling/test_boards_that_go.py::test_tests_of_the_lost_board_alone_wait_for_its_return",
)
ABOUT = r"give_orders\(\) == \{\}"


@replaces(Dispatcher, "lose_board")
def lose_board(self: Dispatcher[Any], board: str) -> None:
    """Take back its tests, and think that it is there."""
    for hand in self._crew.at(self._places.boards[board]):
        self._take_back(hand)
