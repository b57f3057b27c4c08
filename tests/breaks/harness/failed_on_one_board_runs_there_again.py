"""Break: a test that failed by the rig is run on the same board again."""

from __future__ import annotations

from bisect import insort

from harness.scheduling.order import Order
from tests.breaks.support.patching import replaces

TITLE = "a test that failed by the rig is run on the same board again"
NOTICED_BY = ("tests/scheduling/test_order.py::test_once_more_on_another_board",)
ABOUT = r"boards_for\(0\) == "


@replaces(Order, "put_back")
def put_back(self: Order, index: int, *, not_on: str | None = None) -> None:
    """Forget where it failed."""
    del not_on
    insort(self._queues.setdefault(self._wants[index], []), index)
