"""Break: the service knows a board by its host, whatever port it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_nordic.fake.coap_endpoint import CoapEndpoint
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.enums import FaultPlace
    from harness_nordic.fake.coap_transport import Address
    from harness_nordic.fake.records import FactoryRecord

TITLE = "the service knows a board by its host, whatever port it comes from"
NOTICED_BY = ("tests/nordic/fake/test_coap.py::test_another_port",)
ABOUT = r"0x81"

before = existing(CoapEndpoint, "_answer")
begin = existing(CoapEndpoint, "_begin_session")


@replaces(CoapEndpoint, "_begin_session")
def _begin_session(self: CoapEndpoint, address: Address, record: FactoryRecord) -> Any:
    """Keep what was proven for the host as well."""
    answer = begin(self, address, record)
    self._sessions[address[0], 0] = self._sessions[address]
    return answer


@replaces(CoapEndpoint, "_answer")
async def _answer(self: CoapEndpoint, request: Any, path: str, place: FaultPlace) -> Any:
    """Believe whoever is on the host of one that has proven who it is."""
    host = request.remote.address[0]
    if (host, 0) in self._sessions:
        self._sessions[request.remote.address] = self._sessions[host, 0]
    return await before(self, request, path, place)
