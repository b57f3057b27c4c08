"""Break: the tests of a board that went away are forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.scheduling.serving import Serving
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Collection

TITLE = "the tests of a board that went away are forgotten"
NOTICED_BY = (
    "tests/scheduling/test_boards_that_go.py::test_what_a_lost_board_had_not_begun_goes_to_its_equal",
    "tests/scheduling/test_boards_that_go.py::test_tests_of_the_lost_board_alone_wait_for_its_return",
    "tests/scheduling/test_boards_that_go.py::test_a_loss_when_the_equals_have_ended",
)
ABOUT = r"handed_out|waiting|queued|only_last_tests_left"


@replaces(Serving, "give_back")
def give_back(self: Serving[Any], unit: int, tests: Collection[int], *, but: str | None = None) -> None:
    """Take them for done."""
    for test in tests:
        self.records.finish(test)
