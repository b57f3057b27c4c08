"""Break: a test that a board declined with its group comes back to it when it runs again alone."""

from __future__ import annotations

from typing import Any

from harness.scheduling.serving import Serving
from tests.breaks.support.patching import existing, replaces

TITLE = "a test that a board declined with its group comes back to it when it runs again alone"
NOTICED_BY = (
    "tests/scheduling/test_keep_together.py::test_declined_in_a_group_and_run_again",
    "tests/scheduling/test_keep_together.py::test_two_declined_and_run_again[*]",
)
ABOUT = r"may_run_elsewhere"

before = existing(Serving, "narrow")


@replaces(Serving, "narrow")
def narrow(self: Serving[Any], unit: int, board: str | None) -> None:
    """Forget it of what is not queued by itself."""
    before(self, unit, board if self._backlog.is_queued(unit) else None)
