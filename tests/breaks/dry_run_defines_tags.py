"""Break: a dry run defines the tags that it names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness_nordic.fake.management import Management
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TITLE = "a dry run defines the tags that it names"
EXPECTED = ("test_tags.py::test_dry_run_defines_no_tag",)
ABOUT = r"tags"

before = existing(Management, "claim")


@replaces(Management, "claim")
async def claim(self: Management, request: Request) -> Response:
    """Define tags before anything else."""
    content = await request.body()
    if request.query_params.get("dryrun") == "true" and content.startswith(b"{"):
        names = json.loads(content).get("tags", [])
        self._service.tags_of(self._member(request)).ids_of(names, define=True)
    response: Response = await before(self, request)
    return response
