"""HTTP answers that every door of the fake gives alike, and how a request's body is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from harness_nordic.fake.refusals import (
    BadRequest,
    Conflict,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Refusal,
    TokenRefused,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ExceptionHandler

LARGEST_BODY = 1024 * 1024

_STATUSES: dict[type[Refusal], int] = {
    BadRequest: 400,
    NotAuthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    TokenRefused: 422,
}


def status_of(refusal: Refusal) -> int:
    """Return the HTTP status of a refusal (nrfcloud fact sheet, section 2.2: fake choices)."""
    return _STATUSES[type(refusal)]


def problem(status: int, message: str) -> JSONResponse:
    """Answer with an error body: a JSON object with ``message`` and ``code`` (section 2.1)."""
    return JSONResponse({"message": message, "code": status * 100}, status_code=status)


async def read_body(request: Request) -> bytes:
    """Read a body of bounded length.

    :raises HTTPException: 413, it is longer.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise HTTPException(413, f"the body is longer than {LARGEST_BODY} bytes")
    return bytes(body)


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 - starlette's type says only Exception
    return problem(status_of(error), str(error))


def _http_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    return problem(error.status_code, error.detail)


def _failed(_request: Request, _error: Exception) -> Response:
    return problem(500, "the fake failed; its log says where")


EXCEPTION_HANDLERS: Mapping[type[Exception] | int, ExceptionHandler] = {
    Refusal: _refused,
    HTTPException: _http_problem,
    Exception: _failed,
}
