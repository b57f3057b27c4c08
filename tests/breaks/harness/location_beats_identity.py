"""Break: a board of the rig file is what is plugged in at its place, whoever that says it is."""

from __future__ import annotations

from typing import Any

from harness.inventory.rig_matching import _Matcher
from tests.breaks.support.patching import replaces

TITLE = "a board of the rig file is what is plugged in at its place, whoever that says it is"
NOTICED_BY = (
    "tests/inventory/test_rig_matching.py::test_swapped_boards_get_each_others_entries_right[*]",
    "tests/inventory/test_rig_matching.py::test_serial_number_that_another_board_has_by_what_it_said",
)
ABOUT = r"consoles\(found\)"


@replaces(_Matcher, "_by_identity")
def by_identity(self: _Matcher, _number: int, entry: Any) -> Any:
    """Look at its place first."""
    there = (one for one in self._free() if entry.location is not None and one.location == entry.location)
    return next(there, None)
