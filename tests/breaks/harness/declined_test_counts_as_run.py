"""Break: a test that a worker declined, since its board is not fit, counts as done."""

from __future__ import annotations

from harness.pytest_plugin.turns import Turns
from tests.breaks.support.patching import replaces

TITLE = "a test that a worker declined, since its board is not fit, counts as done"
NOTICED_BY = ("tests/pytest_plugin/test_scheduler.py::test_a_declined_test_goes_to_another_board",)
ABOUT = r"stage\.unfit == "


@replaces(Turns, "declined")
def declined(self: Turns, worker: str, turn: int) -> str | None:
    """Hear of none."""
    del worker, turn
    return None
