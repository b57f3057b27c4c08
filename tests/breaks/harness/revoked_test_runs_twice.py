"""Break: a test that was given to another board is kept by the lost one, too."""

from __future__ import annotations

from typing import Any

from harness.scheduling.dispatch import Dispatcher
from tests.breaks.support.patching import replaces

TITLE = "a test that was given to another board is kept by the lost one, too"
NOTICED_BY = (
    "tests/scheduling/test_boards_that_go.py::test_what_a_lost_board_had_not_begun_goes_to_its_equal",
)
ABOUT = r"held_by"


@replaces(Dispatcher, "lose_board")
def lose_board(self: Dispatcher[Any], board: str) -> None:
    """Tell nobody to pass over it."""
    self.queues.lose(board)
    for state in self._workers.values():
        for sent in reversed(state.held[1:] if state.board == board else []):
            self.queues.put_first(sent.index)
