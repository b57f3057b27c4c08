"""Break: a device that is not the team's can be blocked and unblocked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from harness_nordic.fake.management import Management
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_nordic.fake.service import ProvisioningService

TITLE = "a device that is not the team's can be blocked and unblocked"
EXPECTED = (
    "test_blocking.py::test_block_of_an_unknown_device*",
    "test_blocking.py::test_block_of_another_teams_device*",
)
ABOUT = r"404"


def _set(service: ProvisioningService, device_id: str, *, blocked: bool) -> Response:
    device = service._claims.get(device_id)
    if device is not None:
        device.blocked = blocked
    return Response(status_code=204)


@replaces(Management, "block")
async def block(self: Management, request: Request) -> Response:
    """Block whatever device this is."""
    self._member(request)
    return _set(self._service, request.path_params["device_id"], blocked=True)


@replaces(Management, "unblock")
async def unblock(self: Management, request: Request) -> Response:
    """Unblock whatever device this is."""
    self._member(request)
    return _set(self._service, request.path_params["device_id"], blocked=False)
