"""Break: writing a rig file leaves a board that was moved where it was."""

from __future__ import annotations

from typing import Any

from harness.inventory import rig_writing
from tests.breaks.support.patching import existing, replaces

TITLE = "writing a rig file leaves a board that was moved where it was"
NOTICED_BY = (
    "tests/inventory/test_rig_writing.py::test_swapped_boards_keep_their_entries",
    "tests/inventory/test_rig_writing.py::test_board_with_another_probe_is_the_same_board",
)
ABOUT = r'"location"\]'


before = existing(rig_writing, "_news")


@replaces(rig_writing, "_news")
def news(entry: Any, board: Any) -> Any:
    """Find every place as it was."""
    return {path: value for path, value in before(entry, board).items() if path != ("location",)}
