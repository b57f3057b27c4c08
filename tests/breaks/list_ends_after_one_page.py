"""Break: a list ends after its first page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from harness_nordic.fake import views
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from starlette.requests import Request

TITLE = "a list ends after its first page"
EXPECTED = ("test_command_control.py::test_list_in_pages",)
ABOUT = r"pageNextToken"

before = existing(views, "page_of")


@replaces(views, "page_of")
def page_of(request: Request, items: Sequence[tuple[int, dict[str, Any]]]) -> JSONResponse:
    """Promise no more."""
    page = json.loads(bytes(before(request, items).body))
    page.pop("pageNextToken", None)
    return JSONResponse(page)
