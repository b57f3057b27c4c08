"""Break: writing a rig file undoes what somebody decided by hand."""

from __future__ import annotations

from typing import Any

from harness.inventory import rig_writing
from tests.breaks.support.patching import existing, replaces

TITLE = "writing a rig file undoes what somebody decided by hand"
NOTICED_BY = ("tests/inventory/test_rig_writing.py::test_board_on_a_path_is_left_where_somebody_put_it",)
ABOUT = r"line.keys =="


before = existing(rig_writing, "_facts")


@replaces(rig_writing, "_news")
def news(entry: Any, board: Any) -> Any:
    """Set whatever USB tells."""
    return {path: value for path, value in before(board).items() if entry.get(path[0]) != value}
