"""Break: a dry run claims the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

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
    """Claim in any case; only the answer is the dry run's."""
    dry_run = request.query_params.get("dryrun") == "true"
    request.scope["query_string"] = b""
    vars(request).pop("_query_params", None)
    response: Response = await before(self, request)
    return Response(status_code=202) if dry_run and response.status_code == 201 else response
