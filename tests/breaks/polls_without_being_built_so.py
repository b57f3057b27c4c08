"""Break: firmware that waits to be told polls by itself."""

from __future__ import annotations

from harness_nordic.virtual.schedule import PollingSchedule
from tests.breaks.support.patching import replaces

TITLE = "firmware that waits to be told polls by itself"
EXPECTED = ("test_polling.py::test_firmware_that_waits_to_be_told",)
ABOUT = r"polls|due_in"


@replaces(PollingSchedule, "_polls_by_itself")
def _polls_by_itself(self: PollingSchedule) -> bool:
    """Ask nobody."""
    return self._settings.agent
