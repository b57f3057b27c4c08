"""Break: a board that comes late gets no tests."""

from __future__ import annotations

from typing import Any

from harness.scheduling.dispatch import Dispatcher
from tests.breaks.support.patching import replaces

TITLE = "a board that comes late gets no tests"
NOTICED_BY = ("tests/scheduling/test_boards_that_go.py::test_a_board_that_comes_late",)
ABOUT = r"boards_without_worker"


@replaces(Dispatcher, "add_board")
def add_board(self: Dispatcher[Any], board: str, kind: str, fitting: Any) -> None:
    """Leave it lying."""
    self._places.add_board(board, kind, ())
