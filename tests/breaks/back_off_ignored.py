"""Break: a board that was told the service is busy comes again at its interval only."""

from __future__ import annotations

from harness_nordic.virtual.schedule import PollingSchedule
from tests.breaks.support.patching import existing, replaces

TITLE = "a board that was told the service is busy comes again at its interval only"
EXPECTED = ("test_polling.py::test_back_off",)
ABOUT = r"dues"

before = existing(PollingSchedule, "ended")


@replaces(PollingSchedule, "ended")
def ended(self: PollingSchedule, *, busy: bool) -> None:
    """Make no difference."""
    before(self, busy=False)
