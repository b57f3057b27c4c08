"""Break: a report by CoAP may be of any format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_nordic.fake.coap_endpoint import CBOR, CoapEndpoint
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.device_desk import Meet
    from harness_nordic.fake.records import ClaimedDevice

TITLE = "a report by CoAP may be of any format"
NOTICED_BY = ("tests/nordic/fake/test_coap.py::test_report_of_another_kind*",)
ABOUT = r"4\.15"

before = existing(CoapEndpoint, "_report")


@replaces(CoapEndpoint, "_report")
def _report(self: CoapEndpoint, request: Any, device: ClaimedDevice, meet: Meet) -> Any:
    """Take whatever comes for CBOR."""
    request.opt.content_format = CBOR
    return before(self, request, device, meet)
