"""Break: a board that is away is given tests."""

from __future__ import annotations

from harness.scheduling.queues import Queues
from tests.breaks.support.patching import replaces

TITLE = "a board that is away is given tests"
NOTICED_BY = (
    "tests/scheduling/test_boards_that_go.py::test_what_a_lost_board_had_not_begun_goes_to_its_equal",
    "tests/scheduling/test_boards_that_go.py::test_tests_of_the_lost_board_alone_wait_for_its_return",
)
ABOUT = r"give_orders\(\) == \{\}"


@replaces(Queues, "is_there")
def is_there(self: Queues, board: str) -> bool:
    """Think so."""
    return True
