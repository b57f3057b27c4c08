"""Break: a dry run does not check the signature of the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from harness_nordic.fake.management import Management
from harness_nordic.fake.refusals import TokenRefused
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request

TITLE = "a dry run does not check the signature of the token"
EXPECTED = ("test_claiming.py::test_dry_run_of_a_tampered_token",)
ABOUT = r"RequestRefused|refused"

before = existing(Management, "claim")


@replaces(Management, "claim")
async def claim(self: Management, request: Request) -> Response:
    """Let a wrong signature pass in a dry run."""
    try:
        response: Response = await before(self, request)
    except TokenRefused as refusal:
        if request.query_params.get("dryrun") != "true" or "does not verify" not in str(refusal):
            raise
        return Response(status_code=202)
    return response
