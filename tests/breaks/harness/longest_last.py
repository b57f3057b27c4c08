"""Break: the shortest test comes first."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from harness.scheduling.backlog import Cursor
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.scheduling.estimates import Column

TITLE = "the shortest test comes first"
NOTICED_BY = ("tests/scheduling/test_dispatch.py::test_the_longest_first",)
ABOUT = r"order =="


_init = existing(Cursor, "__init__")


@replaces(Cursor, "__init__")
def init(self: Cursor, column: Column[float], units: Iterable[int], count: int) -> None:
    """Sort the other way round."""
    _init(self, column, units, count)
    self.order = array("I", reversed(self.order))
