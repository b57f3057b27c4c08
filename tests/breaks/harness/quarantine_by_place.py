"""Break: a board is quarantined by where it is, and whoever is there next with it."""

from __future__ import annotations

from harness.health import quarantine
from harness.inventory.board import Board  # noqa: TC001 - annotations alone, as in what it replaces
from tests.breaks.support.patching import replaces

TITLE = "a board is quarantined by the place where it is"
NOTICED_BY = ("tests/health/test_quarantine.py::test_names_tell_the_board_and_not_its_place",)
ABOUT = r"names_of\(said\) =="


@replaces(quarantine, "names_of")
def names_of(board: Board) -> tuple[str, ...]:
    """Trust places."""
    return (board.hardware_place if board.ambiguous else board.hardware_identity,)
