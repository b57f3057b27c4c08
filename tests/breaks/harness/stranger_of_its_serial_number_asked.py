"""Break: what shows a board's serial number is asked, of whatever kind it is."""

from __future__ import annotations

from typing import Any

from harness.inventory.finding import Finder
from tests.breaks.support.patching import replaces

TITLE = "what shows a board's serial number is asked, of whatever kind it is"
NOTICED_BY = ("tests/inventory/test_finding.py::test_stranger_with_its_serial_number_is_left_alone",)
ABOUT = r"DID NOT RAISE BoardLost"


@replaces(Finder, "_is_of_its_kind")
def is_of_its_kind(self: Finder, board: Any, device: Any) -> bool:
    """Take any kind."""
    return True
