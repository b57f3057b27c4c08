"""Break: a board that has proven once by CoAP who it is never has to again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_nordic.fake.coap_endpoint import CoapEndpoint, CoapSession
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.coap_transport import Address
    from harness_nordic.fake.records import FactoryRecord

TITLE = "a board that has proven once by CoAP who it is never has to again"
NOTICED_BY = ("tests/nordic/fake/test_coap.py::test_proof_expires",)
ABOUT = r"4.01|code"

before = existing(CoapEndpoint, "_begin_session")


@replaces(CoapEndpoint, "_begin_session")
def _begin_session(self: CoapEndpoint, address: Address, record: FactoryRecord) -> Any:
    """Tell how long it holds, and keep to nothing."""
    answer = before(self, address, record)
    self._sessions[address] = CoapSession(record=record, expires=float("inf"))
    return answer
