"""Break: unblocking a device does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from harness_nordic.fake.management import Management
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from starlette.requests import Request

TITLE = "unblocking a device does nothing"
EXPECTED = (
    "test_blocking.py::test_block_twice",
    "test_blocking.py::test_unblocked_board_runs_its_commands",
    "test_blocking.py::test_unblock_restores_the_status",
    "test_blocking.py::test_command_for_a_blocked_device",
)
ABOUT = r"READY|SUCCEEDED|finished"


@replaces(Management, "unblock")
async def unblock(self: Management, request: Request) -> Response:
    """Find the device, and leave it blocked."""
    self._device(request)
    return Response(status_code=204)
