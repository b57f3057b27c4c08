"""Break: a test that was given to another board is kept by the lost one, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.scheduling.hands import Hand
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.scheduling.hands import Sent

TITLE = "a test that was given to another board is kept by the lost one, too"
NOTICED_BY = (
    "tests/scheduling/test_boards_that_go.py::test_what_a_lost_board_had_not_begun_goes_to_its_equal",
)
ABOUT = r"held_by"


@replaces(Hand, "revoke")
def revoke(self: Hand[Any], sent: Sent[Any]) -> None:
    """Tell nobody to pass over it."""
