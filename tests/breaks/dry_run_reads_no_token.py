"""Break: a dry run does not look at the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from harness_nordic.fake.management import Management
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request

TITLE = "a dry run does not look at the token"
EXPECTED = (
    "test_claiming.py::test_dry_run_of_a_claimed_device",
    "test_claiming.py::test_dry_run_of_a_malformed_token",
)
ABOUT = r"RequestRefused|refused"

before = existing(Management, "claim")


@replaces(Management, "claim")
async def claim(self: Management, request: Request) -> Response:
    """Say yes to every dry run."""
    self._member(request)
    if request.query_params.get("dryrun") == "true":
        return Response(status_code=202)
    response: Response = await before(self, request)
    return response
