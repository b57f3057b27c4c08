"""Break: a list that is filtered counts what it does not show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from harness_nordic.fake.management import Management
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TITLE = "a list that is filtered counts what it does not show"
EXPECTED = ("test_listing.py::test_pages_of_a_filter",)
ABOUT = r"total"

before = existing(Management, "list_devices")


@replaces(Management, "list_devices")
async def list_devices(self: Management, request: Request) -> Response:
    """Tell how many devices the team has, whatever was asked for."""
    page = json.loads((await before(self, request)).body)
    return JSONResponse({**page, "total": len(self._service.devices(self._member(request)))})
