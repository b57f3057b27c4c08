"""Break: a board that nothing brought back is quarantined, and goes on getting this session's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.pytest_plugin.health_desk import HealthDesk
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.inventory.board import Board

TITLE = "a board that nothing brought back goes on getting tests"
NOTICED_BY = (
    "tests/pytest_plugin/test_health_desk.py::test_an_unfit_board_is_out_and_quarantined",
    "tests/pytest_plugin/test_health_desk.py::test_without_quarantine_it_is_out_of_this_session_only",
)
ABOUT = r"office.gone =="


@replaces(HealthDesk, "give_up")
def give_up(self: HealthDesk, board_id: str, reason: str) -> None:
    """Think of others alone."""
    board: Board = next(board for board in self._session.boards if board.id == board_id)
    self._say(self._quarantine(board, reason))
