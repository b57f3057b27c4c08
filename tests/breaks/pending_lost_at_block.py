"""Break: blocking a device throws its pending commands away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_nordic.fake.management import Management
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TITLE = "blocking a device throws its pending commands away"
EXPECTED = (
    "test_blocking.py::test_blocked_board_keeps_its_commands_pending",
    "test_blocking.py::test_unblocked_board_runs_its_commands",
)
ABOUT = r"PENDING|finished"

before = existing(Management, "block")


@replaces(Management, "block")
async def block(self: Management, request: Request) -> Response:
    """Block, and empty the queue."""
    queue = self._device(request).queue
    queue._commands.clear()
    queue._steps.clear()
    response: Response = await before(self, request)
    return response
