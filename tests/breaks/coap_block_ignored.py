"""Break: a blocked device may come in by CoAP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_nordic.fake.device_desk import DeviceDesk
from harness_nordic.fake.service import ProvisioningService
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from harness_nordic.fake.records import ClaimedDevice, FactoryRecord

TITLE = "a blocked device may come in by CoAP"
EXPECTED = ("test_coap.py::test_blocked_board",)
ABOUT = r"403"

before = existing(ProvisioningService, "served_device")
serve = existing(DeviceDesk, "serve")
by_http: list[bool] = []


@replaces(DeviceDesk, "serve")
async def _serve(self: DeviceDesk, visit: Any, work: Any) -> Any:
    """Remember at which door the device is."""
    by_http.append(visit.path.startswith("/"))
    try:
        return await serve(self, visit, work)
    finally:
        by_http.pop()


@replaces(ProvisioningService, "served_device")
def served_device(self: ProvisioningService, record: FactoryRecord) -> ClaimedDevice:
    """Look at the block at one door only."""
    device = self._claims.get(record.id)
    if device is not None and device.blocked and not any(by_http):
        return device
    served: ClaimedDevice = before(self, record)
    return served
