"""Break: a blocked board is told that there is nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from harness_nordic.fake.device_endpoint import DeviceEndpoint
from harness_nordic.fake.refusals import NotAllowed, NotAuthenticated
from harness_nordic.fake.team_calls import bearer_of
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_nordic.enums import FaultPlace
    from harness_nordic.fake.device_endpoint import Work

TITLE = "a blocked board is told that there is nothing to do"
EXPECTED = (
    "test_blocking.py::test_blocked_board_keeps_its_commands_pending",
    "test_blocking.py::test_unblocked_board_runs_its_commands",
    "test_blocking.py::test_command_for_a_blocked_device",
)
ABOUT = r"refused_with == .*403"

answer = existing(DeviceEndpoint, "_answer")


@replaces(DeviceEndpoint, "_answer")
async def _answer(self: DeviceEndpoint, request: Request, place: FaultPlace, work: Work) -> Response:
    """Answer 204 where the device is blocked."""
    record = self._service.identify(bearer_of(request))
    try:
        self._service.served_device(record)
    except NotAllowed:
        return Response(status_code=204)
    except NotAuthenticated:
        pass
    response: Response = await answer(self, request, place, work)
    return response
