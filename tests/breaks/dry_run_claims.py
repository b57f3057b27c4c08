"""Break: a dry run claims the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from harness_nordic.fake.answers import read_body
from harness_nordic.fake.bodies import ClaimBody, parse_body
from harness_nordic.fake.management import Management
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request

TITLE = "a dry run claims the device"
EXPECTED = ("test_claiming.py::test_dry_run_of_a_free_device",)
ABOUT = r"is_claimed_by"
SEPARATE = True

before = existing(Management, "claim")


@replaces(Management, "claim")
async def claim(self: Management, request: Request) -> Response:
    """Claim in a dry run too."""
    if request.query_params.get("dryrun") != "true":
        response: Response = await before(self, request)
        return response
    body = parse_body(ClaimBody, await read_body(request))
    self._service.claim(self._member(request), body.claim_token, body.tags)
    return Response(status_code=202)
