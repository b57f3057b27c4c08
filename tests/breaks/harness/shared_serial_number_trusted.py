"""Break: a serial number that two boards show is taken for the one of either."""

from __future__ import annotations

from typing import Any

from harness.inventory import attached
from tests.breaks.support.patching import replaces

TITLE = "a serial number that two boards show is taken for the one of either"
NOTICED_BY = ("tests/inventory/test_rig_matching.py::test_swapped_boards_get_each_others_entries_right[*]",)
ABOUT = r"ambiguous"


@replaces(attached, "shared_serials")
def shared_serials(devices: Any, described: Any = ()) -> frozenset[str]:
    """Find every serial number its board's alone."""
    return frozenset()
