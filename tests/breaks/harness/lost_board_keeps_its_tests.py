"""Break: the tests that a lost board was sent stay with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.scheduling.dispatch import Dispatcher
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from harness.scheduling.hands import Hand

TITLE = "the tests that a lost board was sent stay with it"
NOTICED_BY = (
    "tests/scheduling/test_boards_that_go.py::test_what_a_lost_board_had_not_begun_goes_to_its_equal",
    "tests/scheduling/test_boards_that_go.py::test_a_loss_when_the_equals_have_ended",
)
ABOUT = r"held_by|queued|boards_without_worker"


@replaces(Dispatcher, "_revoke_unbegun")
def revoke_unbegun(self: Dispatcher[Any], hand: Hand[Any], *, of: int | None = None) -> list[int]:
    """Give none of them to others."""
    return []
