"""Break: a board that fetches by CoAP gets no rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_nordic.fake.coap_endpoint import CoapEndpoint
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.device_desk import Meet
    from harness_nordic.fake.records import ClaimedDevice

TITLE = "a board that fetches by CoAP gets no rules"
EXPECTED = ("test_coap.py::test_rule",)
ABOUT = r"finished"

before = existing(CoapEndpoint, "_fetch")


@replaces(CoapEndpoint, "_fetch")
def _fetch(self: CoapEndpoint, request: Any, device: ClaimedDevice, meet: Meet) -> Any:
    """Serve the queue as it is."""
    tags, device.tag_ids = device.tag_ids, ()
    try:
        return before(self, request, device, meet)
    finally:
        device.tag_ids = tags
