"""Break: a rule is applied when a board proves by CoAP who it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_nordic.fake.coap_endpoint import CoapEndpoint
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.coap_transport import Address
    from harness_nordic.fake.records import FactoryRecord

TITLE = "a rule is applied when a board proves by CoAP who it is"
EXPECTED = ("test_coap.py::test_rule_of_a_blocked_board",)
ABOUT = r"commands"

before = existing(CoapEndpoint, "_begin_session")


@replaces(CoapEndpoint, "_begin_session")
def _begin_session(self: CoapEndpoint, address: Address, record: FactoryRecord) -> Any:
    """Take the proof for an attempt to provision."""
    self._service.evaluate_rules(self._service.served_device(record))
    return before(self, address, record)
