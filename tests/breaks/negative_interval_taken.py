"""Break: the board takes an interval below zero for one above."""

from __future__ import annotations

from harness_nordic.virtual.schedule import INTERVAL_KEY, PollingSchedule, read_seconds
from tests.breaks.support.patching import replaces

TITLE = "the board takes an interval below zero for one above"
EXPECTED = ("test_polling.py::test_interval_that_is_none[-1]",)
ABOUT = r"interval"


@replaces(PollingSchedule, "interval")
def interval(self: PollingSchedule) -> int:
    """Do not look at the sign."""
    return abs(read_seconds(self._stored.items().get(INTERVAL_KEY, ""))) or self._settings.interval
