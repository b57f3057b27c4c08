"""Break: the board sends no datagram again."""

from __future__ import annotations

import time

from harness_nordic.virtual.coap_link import CoapLink, _Wait
from tests.breaks.support.patching import existing, replaces

TITLE = "the board sends no datagram again"
EXPECTED = ("test_coap_in_trouble.py::test_lost_datagram*",)
ABOUT = r"finished"

before = existing(CoapLink, "_transmit")


@replaces(CoapLink, "_transmit")
def _transmit(self: CoapLink, wait: _Wait) -> None:
    """Send what was not sent yet."""
    if wait.repeated:
        wait.next_at = time.monotonic() + wait.patience
    else:
        before(self, wait)
