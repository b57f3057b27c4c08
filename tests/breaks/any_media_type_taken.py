"""Break: a report may be of any media type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.device_endpoint import DeviceEndpoint
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TITLE = "a report may be of any media type"
EXPECTED = ("test_reports.py::test_report_of_another_media_type",)
ABOUT = r"415"

before = existing(DeviceEndpoint, "report")


@replaces(DeviceEndpoint, "report")
async def report(self: DeviceEndpoint, request: Request) -> Response:
    """Take everything for CBOR."""
    others = [header for header in request.scope["headers"] if header[0] != b"content-type"]
    request.scope["headers"] = [*others, (b"content-type", b"application/cbor")]
    if hasattr(request, "_headers"):
        del request._headers
    response: Response = await before(self, request)
    return response
