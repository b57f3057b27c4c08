"""Break: a board that was told the service is busy keeps away when it is not busy any more."""

from __future__ import annotations

from harness_nordic.virtual.schedule import PollingSchedule
from tests.breaks.support.patching import existing, replaces

TITLE = "a board that was told the service is busy keeps away when it is not busy any more"
EXPECTED = ("test_polling.py::test_back_off",)
ABOUT = r"due_in|dues"

before = existing(PollingSchedule, "ended")


@replaces(PollingSchedule, "ended")
def ended(self: PollingSchedule, *, busy: bool) -> None:
    """Take the service for busy for good."""
    before(self, busy=busy or self._back_off > 0)
