"""Break: after unblocking a device is READY, whatever it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.management import Management
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TITLE = "after unblocking a device is READY, whatever it was before"
EXPECTED = ("test_blocking.py::test_unblock_restores_the_status",)
ABOUT = r"PENDING"

before = existing(Management, "unblock")


@replaces(Management, "unblock")
async def unblock(self: Management, request: Request) -> Response:
    """Unblock, and forget what waits."""
    response: Response = await before(self, request)
    self._device(request).queue.device_status = DeviceStatus.READY
    return response
