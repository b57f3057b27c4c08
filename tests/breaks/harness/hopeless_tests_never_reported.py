"""Break: tests of boards that were given up are never reported."""

from __future__ import annotations

from typing import Any

from harness.scheduling.dispatch import Dispatcher
from tests.breaks.support.patching import replaces

TITLE = "tests of boards that were given up are never reported"
NOTICED_BY = (
    "tests/scheduling/test_boards_that_go.py::test_tests_of_a_board_that_is_given_up_are_handed_out_for_a_report",
)
ABOUT = r"take_hopeless"


@replaces(Dispatcher, "take_hopeless")
def take_hopeless(self: Dispatcher[Any]) -> tuple[int, ...]:
    """Know of none."""
    return ()
