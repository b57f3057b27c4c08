"""Break: closing a console that lost its port stops the one whose port has its number now."""

from __future__ import annotations

from harness.console.drain import DRAIN
from harness.console.intake import Intake
from tests.breaks.support.patching import replaces

TITLE = "closing a console that lost its port stops the one whose port has its number now"
NOTICED_BY = (
    "tests/console/test_reconnecting.py::test_closing_a_lost_console_leaves_alone_whoever_has_its_number_now",
)
ABOUT = r"nobody reads the other one"


@replaces(Intake, "close")
def close(self: Intake) -> None:
    """Forget whatever has the number."""
    with self._lock:
        if not self._closed:
            self._closed = True
            DRAIN.remove(self._fd)
            self._changed.notify_all()
