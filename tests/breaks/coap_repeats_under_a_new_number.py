"""Break: the board sends a datagram again as another one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness_nordic.virtual.coap_link import CoapLink
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.virtual.coap_link import _Wait

TITLE = "the board sends a datagram again as another one"
EXPECTED = ("test_coap_in_trouble.py::test_lost_datagram*received]",)
ABOUT = r"requests"

before = existing(CoapLink, "_transmit")


@replaces(CoapLink, "_transmit")
def _transmit(self: CoapLink, wait: _Wait) -> None:
    """Count what is repeated as a message of its own."""
    if wait.repeated:
        self._number = (self._number + 1) & 0xFFFF
        wait.message = replace(wait.message, number=self._number)
    before(self, wait)
