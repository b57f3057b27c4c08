"""Break: the board stores the interval it is told and polls at its own."""

from __future__ import annotations

from harness_nordic.virtual.schedule import PollingSchedule
from tests.breaks.support.patching import replaces

TITLE = "the board stores the interval it is told and polls at its own"
EXPECTED = ("test_polling.py::test_interval_of_the_service", "test_polling.py::test_interval_after_a_boot")
ABOUT = r"polls|STORED"


@replaces(PollingSchedule, "interval")
def interval(self: PollingSchedule) -> int:
    """Know only what the firmware was built with."""
    return self._settings.interval
