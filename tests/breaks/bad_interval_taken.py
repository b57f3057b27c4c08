"""Break: a stored text that is no interval makes the board poll every second."""

from __future__ import annotations

from harness_nordic.virtual import schedule
from harness_nordic.virtual.schedule import INTERVAL_KEY, PollingSchedule
from tests.breaks.support.patching import existing, replaces

TITLE = "a stored text that is no interval makes the board poll every second"
EXPECTED = ("test_polling.py::test_interval_that_is_none*",)
ABOUT = r"BUILT_IN|interval"

read_seconds = existing(schedule, "read_seconds")


@replaces(PollingSchedule, "interval")
def interval(self: PollingSchedule) -> int:
    """Take any text for an interval."""
    stored = self._stored.items().get(INTERVAL_KEY)
    return self._settings.interval if stored is None else max(1, int(read_seconds(stored)))
