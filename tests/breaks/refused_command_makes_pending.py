"""Break: a command that was refused makes the device PENDING all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.enums import DeviceStatus
from harness_nordic.fake.management import Management
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TITLE = "a command that was refused makes the device PENDING all the same"
EXPECTED = ("test_commands.py::test_unfit_request*",)
ABOUT = r"READY"

before = existing(Management, "create_command")


@replaces(Management, "create_command")
async def create_command(self: Management, request: Request) -> Response:
    """Change the status before anything is looked at."""
    self._device(request).queue.device_status = DeviceStatus.PENDING
    response: Response = await before(self, request)
    return response
