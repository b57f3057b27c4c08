"""Break: the modem still has its time after a restart."""

from __future__ import annotations

from harness_nordic.virtual.radio import Radio
from tests.breaks.support.patching import existing, replaces

TITLE = "the modem's time survives a restart"
EXPECTED = ("test_board_faults.py::test_clock_is_lost",)
ABOUT = r"FAILED_NO_VALID_DATETIME"

before = existing(Radio, "stop")


@replaces(Radio, "stop")
def stop(self: Radio) -> None:
    """Keep the clock running."""
    now = self._clock.now()
    before(self)
    if now is not None:
        self._clock.set(now)
