"""Break: a test that a board declined comes back to it."""

from __future__ import annotations

from typing import Any

from harness.scheduling.serving import Serving
from tests.breaks.support.patching import replaces

TITLE = "a test that a board declined comes back to it"
NOTICED_BY = (
    "tests/scheduling/test_several_boards.py::test_another_worker_declines_to_stand_by",
    "tests/scheduling/test_dispatch.py::test_a_test_that_all_boards_declined",
)
ABOUT = r"standing_by|take_hopeless"


@replaces(Serving, "narrow")
def narrow(self: Serving[Any], unit: int, board: str | None) -> None:
    """Forget who declined it."""
    self.narrowed = True
