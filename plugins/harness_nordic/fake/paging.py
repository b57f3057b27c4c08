"""Lists in pages (nrfcloud fact sheet, section 2.1: fake choice, after the sibling core API)."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from harness_nordic.fake.refusals import BadRequest
from harness_nordic.fake.tokens import decode_base64url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

DEFAULT_PAGE = 10
LARGEST_PAGE = 100
_PAGE_TOKEN = re.compile(rb"after:(\d{1,18})")


def page_of(request: Request, items: Sequence[tuple[int, dict[str, Any]]]) -> JSONResponse:
    """Answer with the page that a request asks for.

    :param items: all of them with their numbers, which only ever rise: so a page begins where the one before
        ended, whatever has gone meanwhile.
    :raises BadRequest: the query asks for no page that could be.
    """
    limit, after = _page_limit(request), _page_start(request)
    rest = [item for item in items if item[0] > after]
    page: dict[str, Any] = {"items": [data for _number, data in rest[:limit]], "total": len(items)}
    if len(rest) > limit:
        page["pageNextToken"] = _page_token(rest[limit - 1][0])
    return JSONResponse(page)


def _page_limit(request: Request) -> int:
    text = request.query_params.get("pageLimit", str(DEFAULT_PAGE))
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= LARGEST_PAGE:
        raise BadRequest(f"pageLimit: expected a number from 1 to {LARGEST_PAGE}")
    return int(text)


def _page_token(number: int) -> str:
    return base64.urlsafe_b64encode(f"after:{number}".encode()).decode().rstrip("=")


def _page_start(request: Request) -> int:
    token = request.query_params.get("pageNextToken")
    if token is None:
        return 0
    try:
        match = _PAGE_TOKEN.fullmatch(decode_base64url(token))
    except ValueError:
        match = None
    if match is None:
        raise BadRequest("pageNextToken: expected what an earlier page gave")
    return int(match[1])
