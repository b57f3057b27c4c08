"""Break: whatever answers is taken for the board that is looked for."""

from __future__ import annotations

from typing import Any

from harness.inventory.finding import _Answered
from tests.breaks.support.patching import replaces

TITLE = "whatever answers is taken for the board that is looked for"
NOTICED_BY = (
    "tests/inventory/test_finding.py::test_told_apart_by_asking",
    "tests/inventory/test_finding.py::test_moved_board_is_asked_though_its_number_is_its_own",
    "tests/inventory/test_finding.py::test_plain_path_of_a_board_that_says_who_it_is",
)
ABOUT = r"there.path|DID NOT RAISE BoardLost"


@replaces(_Answered, "matches")
def matches(self: _Answered, board: Any) -> bool:
    """Hear that it speaks."""
    return self.identity is not None
