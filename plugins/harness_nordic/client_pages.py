"""Lists that the service gives in pages (nrfcloud fact sheet, section 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from harness.backends.answers import parse_answer
from harness.errors import BackendFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.backends.http import ServiceHttp
    from harness_nordic.client_models import Page

LARGEST_PAGE = 100
MOST_PAGES = 10_000

Item = TypeVar("Item")


def read_pages(
    http: ServiceHttp,
    path: str,
    operation: str,
    model: type[Page[Item]],
    wanted: Mapping[str, str] | None = None,
) -> list[Item]:
    """Return every item of a list.

    :param operation: the service's own name of the call.
    :param model: what one page holds.
    :param wanted: what the items must have, as the service's filters name it.
    :raises BackendFault: the pages never end.
    :raises RequestRefused: there is no such list.
    """
    found: list[Item] = []
    query = {**(wanted or {}), "pageLimit": str(LARGEST_PAGE)}
    for _page in range(MOST_PAGES):
        response = http.request("GET", path, operation=operation, accept={200}, params=query)
        page = parse_answer(model, response, operation)
        found += page.items
        if not page.next_token or query.get("pageNextToken") == page.next_token:
            return found
        query["pageNextToken"] = page.next_token
    raise BackendFault(f"{operation} gave {MOST_PAGES} pages and still promises more")
