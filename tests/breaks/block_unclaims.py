"""Break: blocking a device sets it free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.management import Management
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TITLE = "blocking a device sets it free"
EXPECTED = ("test_blocking.py::test_block_keeps_the_claim",)
ABOUT = r"DID NOT RAISE.*RequestRefused|refused"

before = existing(Management, "block")


@replaces(Management, "block")
async def block(self: Management, request: Request) -> Response:
    """Block, and forget who owns the device."""
    response: Response = await before(self, request)
    del self._service._claims[request.path_params["device_id"]]
    return response
