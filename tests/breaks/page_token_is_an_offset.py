"""Break: a page begins so many devices behind the first, whatever has gone meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_nordic.fake import views
from tests.breaks.support.patching import existing, replaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import JSONResponse

TITLE = "devices that go shift the next page"
EXPECTED = ("test_listing.py::test_page_token_is_stable",)
ABOUT = r"device\.id|=="

before = existing(views, "page_of")


@replaces(views, "page_of")
def page_of(request: Request, items: Sequence[tuple[int, dict[str, Any]]]) -> JSONResponse:
    """Number the items as they stand now."""
    counted = [(number, item) for number, (_old, item) in enumerate(items, 1)]
    page: JSONResponse = before(request, counted)
    return page
