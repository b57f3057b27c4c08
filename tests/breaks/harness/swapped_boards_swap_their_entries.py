"""Break: writing a rig file takes a board for the entry of the place that it is at."""

from __future__ import annotations

from typing import Any

from harness.inventory import rig_writing
from tests.breaks.support.patching import replaces

TITLE = "writing a rig file takes a board for the entry of the place that it is at"
NOTICED_BY = (
    "tests/inventory/test_rig_writing.py::test_swapped_boards_keep_their_entries",
    "tests/inventory/test_rig_writing.py::test_place_never_makes_another_board_of_one",
)
ABOUT = r'"location"\]|Standing.ABSENT'


@replaces(rig_writing, "_same_identity")
def same_identity(entry: Any, board: Any) -> bool:
    """Look at the place."""
    return board.location is not None and entry.get("location") == board.location
