"""Break: a quarantine stays when its time is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.health.quarantine_records import Quarantine
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from datetime import datetime

TITLE = "a quarantine stays when its time is over"
NOTICED_BY = (
    "tests/health/test_quarantine.py::test_a_board_is_left_alone_until_its_time_is_over",
    "tests/health/test_quarantine.py::test_what_is_over_is_taken_away_by_who_lists",
)
ABOUT = r"is None|== \[\"b\"\]"


@replaces(Quarantine, "is_over")
def is_over(self: Quarantine, now: datetime) -> bool:
    """Know no end."""
    return False
