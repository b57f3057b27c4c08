"""Break: a report by CoAP is answered 2.01."""

from __future__ import annotations

from typing import Any

from harness_nordic.fake.coap_endpoint import CoapEndpoint
from harness_nordic.fake.coap_transport import code_of
from tests.breaks.support.patching import existing, replaces

TITLE = "a report by CoAP is answered 2.01"
EXPECTED = ("test_coap.py::test_steps_of_a_run", "test_coap.py::test_every_type_of_command")
ABOUT = r"finished"

before = existing(CoapEndpoint, "_report")


@replaces(CoapEndpoint, "_report")
def _report(self: CoapEndpoint, request: Any, device: Any, meet: Any) -> Any:
    """Say that something was made."""
    answer, ids = before(self, request, device, meet)
    answer.code = code_of(201)
    return answer, ids
