"""Break: another team sees the commands of our device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.management import Management
from harness_nordic.fake.paging import page_of
from tests.breaks.support.patching import replaces

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TITLE = "another team sees the commands of our device"
EXPECTED = ("test_command_control.py::test_list_of_another_team",)
ABOUT = r"404"


@replaces(Management, "list_commands")
async def list_commands(self: Management, request: Request) -> Response:
    """Ask for a key, and not whose it is."""
    self._member(request)
    commands = self._service._claims[request.path_params["device_id"]].queue.commands()
    return page_of(request, [(command.sequence, command.to_json()) for command in commands])
