"""Break: a blocked device may report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.device_endpoint import DeviceEndpoint
from harness_nordic.fake.team_calls import bearer_of
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TITLE = "a blocked device may report"
EXPECTED = ("test_reports.py::test_report_while_blocked",)
ABOUT = r"403"

before = existing(DeviceEndpoint, "report")


@replaces(DeviceEndpoint, "report")
async def report(self: DeviceEndpoint, request: Request) -> Response:
    """Lift the block for a moment."""
    device = self._service._claims.get(self._service.identify(bearer_of(request)).id)
    if device is None or not device.blocked:
        response: Response = await before(self, request)
        return response
    device.blocked = False
    try:
        response = await before(self, request)
    finally:
        device.blocked = True
    return response
