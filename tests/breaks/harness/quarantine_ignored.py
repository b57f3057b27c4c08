"""Break: boards are used although they are quarantined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.health.quarantine import Quarantines
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from datetime import datetime

    from harness.health.quarantine_records import Quarantine
    from harness.inventory.board import Board

TITLE = "boards are used although they are quarantined"
NOTICED_BY = (
    "tests/pytest_plugin/test_health_desk.py::test_the_next_session_leaves_it_alone_and_says_why",
    "tests/cli/test_quarantine.py::test_the_list_of_boards_shows_it",
)
ABOUT = r"left.boards ==|quarantined: its antenna"


@replaces(Quarantines, "of")
def of(self: Quarantines, board: Board, now: datetime) -> Quarantine | None:
    """Look at nothing."""
    return None
