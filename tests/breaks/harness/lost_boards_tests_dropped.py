"""Break: the tests of a board that went away are forgotten."""

from __future__ import annotations

from typing import Any

from harness.scheduling.dispatch import Dispatcher
from tests.breaks.support.patching import replaces

TITLE = "the tests of a board that went away are forgotten"
NOTICED_BY = (
    "tests/scheduling/test_boards_that_go.py::test_what_a_lost_board_had_not_begun_goes_to_its_equal",
    "tests/scheduling/test_boards_that_go.py::test_tests_of_a_board_that_is_given_up_are_handed_out_for_a_report",
    "tests/scheduling/test_boards_that_go.py::test_a_loss_when_the_equals_have_ended",
)
ABOUT = r"give_orders|take_hopeless|boards_without_worker"


@replaces(Dispatcher, "lose_board")
def lose_board(self: Dispatcher[Any], board: str) -> None:
    """Take its tests for done."""
    self.queues.lose(board)
    for worker, state in self._workers.items():
        for sent in state.held if state.board == board else ():
            if self._revoke(worker, sent.turn):
                sent.revoked = True
                self._finished.add(sent.index)
