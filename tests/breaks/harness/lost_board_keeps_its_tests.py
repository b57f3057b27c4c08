"""Break: the tests that a lost board was sent stay with it."""

from __future__ import annotations

from typing import Any

from harness.scheduling.dispatch import Dispatcher
from tests.breaks.support.patching import replaces

TITLE = "the tests that a lost board was sent stay with it"
NOTICED_BY = (
    "tests/scheduling/test_boards_that_go.py::test_what_a_lost_board_had_not_begun_goes_to_its_equal",
    "tests/scheduling/test_boards_that_go.py::test_a_loss_when_the_equals_have_ended",
)
ABOUT = r"held_by|boards_without_worker"


@replaces(Dispatcher, "lose_board")
def lose_board(self: Dispatcher[Any], board: str) -> None:
    """Give none of them to others."""
    self.queues.lose(board)
