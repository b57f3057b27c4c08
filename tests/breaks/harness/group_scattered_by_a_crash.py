"""Break: the rest of a group is given out one by one after a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.scheduling.backlog import Backlog
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from collections.abc import Collection

TITLE = "the rest of a group is given out one by one after a crash"
NOTICED_BY = (
    "tests/scheduling/test_keep_together.py::test_a_crash_in_a_group",
    "tests/scheduling/test_keep_together.py::test_a_board_lost_in_a_group",
    "tests/scheduling/test_keep_together.py::test_two_of_a_group_declined_before_it_is_heard",
)
ABOUT = r"run_out"


@replaces(Backlog, "put_back_tests")
def put_back_tests(self: Backlog, unit: int, tests: Collection[int]) -> None:
    """Queue each for itself, the first in front of the others only by chance."""
    for test in tests:
        self.put_back(test)
