"""Break: a session ends while tests wait for a board that may come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.scheduling.dispatch import Dispatcher
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.scheduling.backlog import Need

TITLE = "a session ends while tests wait for a board that may come back"
NOTICED_BY = (
    "tests/scheduling/test_boards_that_go.py::test_tests_of_the_lost_board_alone_wait_for_its_return",
    "tests/scheduling/test_boards_that_go.py::test_a_loss_after_the_end_was_told",
)
ABOUT = r"only_last_tests_left"


@replaces(Dispatcher, "_may_be_served")
def may_be_served(self: Dispatcher[Any], need: Need) -> bool:
    """Look at the boards that are there alone."""
    return need.serving > 0
