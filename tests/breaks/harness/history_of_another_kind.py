"""Break: what a test takes on one kind of board is expected of it on all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.scheduling.estimates import Estimates
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness.scheduling.estimates import Column

TITLE = "what a test takes on one kind of board is expected of it on all"
NOTICED_BY = (
    "tests/scheduling/test_estimates.py::test_what_is_known_of_this_kind",
    "tests/scheduling/test_dispatch.py::test_the_longest_on_this_kind_of_board",
)
ABOUT = r"column|handed_out"


_column = existing(Estimates, "column")


@replaces(Estimates, "column")
def column(self: Estimates, kind: str) -> Column[float]:
    """Return that of the kind that was asked for first."""
    first: Column[float] = [*self._columns.values(), _column(self, kind)][0]
    return first
