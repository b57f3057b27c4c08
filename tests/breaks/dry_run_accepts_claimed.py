"""Break: a dry run says that a claimed device is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from harness_nordic.fake.management import Management
from harness_nordic.fake.refusals import Conflict
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request

TITLE = "a dry run says that a claimed device is free"
EXPECTED = ("test_claiming.py::test_dry_run_of_a_claimed_device",)
ABOUT = r"RequestRefused|refused"

before = existing(Management, "claim")


@replaces(Management, "claim")
async def claim(self: Management, request: Request) -> Response:
    """Let a conflict pass in a dry run."""
    try:
        response: Response = await before(self, request)
    except Conflict:
        if request.query_params.get("dryrun") != "true":
            raise
        return Response(status_code=202)
    return response
