"""HTTP answers that every door of the fake gives alike, and how a request's body is read."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from harness_nordic.fake.choices import FAKE
from harness_nordic.fake.refusals import (
    BadCredentials,
    BadRequest,
    Conflict,
    DeviceBlocked,
    NotAllowed,
    NotAuthenticated,
    NotClaimed,
    NotFound,
    NotThere,
    Refusal,
    TokenRefused,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ExceptionHandler

    from harness_nordic.fake.choices import Choices

LARGEST_BODY = 1024 * 1024

UNAUTHORIZED = 401
"""For a key or token that is nobody's: documented (section 2.1)."""

NOT_FOUND = 404
"""For a device that is not there to be unclaimed or read in the core: documented (sections 2.6 and 2.10)."""


def status_of(refusal: Refusal, choices: Choices = FAKE) -> int:
    """Return the HTTP status of a refusal (nrfcloud fact sheet, sections 2.2 and 3.1)."""
    statuses: dict[type[Refusal], int] = {
        BadCredentials: choices.bad_credentials,
        BadRequest: choices.bad_request,
        Conflict: choices.conflict,
        DeviceBlocked: choices.blocked_device,
        NotAllowed: choices.role_too_low,
        NotAuthenticated: UNAUTHORIZED,
        NotClaimed: choices.unclaimed_device,
        NotFound: choices.not_found,
        NotThere: NOT_FOUND,
        TokenRefused: choices.token_refused,
    }
    return statuses[type(refusal)]


def problem(status: int, message: str, choices: Choices = FAKE) -> JSONResponse:
    """Answer with an error body: a JSON object with at least ``message`` (section 2.1)."""
    body: dict[str, str | int] = {"message": message if choices.reason_told else HTTPStatus(status).phrase}
    if choices.error_code:
        body["code"] = status * 100
    return JSONResponse(body, status_code=status)


def refused(refusal: Refusal, choices: Choices = FAKE) -> JSONResponse:
    """Answer with a refusal."""
    return problem(status_of(refusal, choices), str(refusal), choices)


async def read_body(request: Request, most: int = LARGEST_BODY) -> bytes:
    """Read a body of bounded length.

    :param most: bytes that it may have.
    :raises HTTPException: 413, it is longer.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise HTTPException(413, f"the body is longer than {most} bytes")
    return bytes(body)


def exception_handlers(choices: Choices = FAKE) -> Mapping[type[Exception] | int, ExceptionHandler]:
    """Return what an application answers when a call of it ends in an exception."""

    def on_refusal(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)  # noqa: S101 - starlette's type says only Exception
        return refused(error, choices)

    def on_http_problem(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - as above
        return problem(error.status_code, error.detail, choices)

    def on_failure(_request: Request, _error: Exception) -> Response:
        return problem(500, "the fake failed; its log says where", choices)

    return {Refusal: on_refusal, HTTPException: on_http_problem, Exception: on_failure}
