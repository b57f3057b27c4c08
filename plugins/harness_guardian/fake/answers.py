"""HTTP answers that every door of the fake gives alike: problems, and how bodies are read.

Problems are RFC 9457 documents (guardian fact sheet, section 10.5). What a client sends never ends in 500.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from harness_guardian.fake import refusals
from harness_guardian.fake.choices import FAKE
from harness_guardian.fake.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ExceptionHandler

    from harness_guardian.fake.choices import Choices

LARGEST_BODY = 64 * 1024
"""Bytes of any body that is sent to the service (guardian fact sheet, section 10.3)."""

PROBLEM = "application/problem+json"
JSON = "application/json"

_UNAUTHORIZED = 401

Body = TypeVar("Body", bound=BaseModel)


class StrictBody(BaseModel):
    """Base of what clients send as JSON: no field that nobody reads, no text where a number belongs."""

    model_config = ConfigDict(strict=True, extra="forbid")


def status_of(status: int, choices: Choices = FAKE) -> int:
    """Return the status that a refusal is answered with, where the fact sheet's own one is given."""
    decided = {
        400: choices.undecodable,
        403: choices.role_too_low,
        404: choices.not_found,
        409: choices.wrong_state,
        413: choices.too_large,
        415: choices.media_type,
        422: choices.rule,
    }
    return decided.get(status, status)


def problem_json(refused: Refused, instance: str, choices: Choices = FAKE) -> dict[str, Any]:
    """Return the problem document of a refusal.

    :param instance: what it is about: a path.
    """
    status = status_of(refused.status, choices)
    document: dict[str, Any] = {
        "type": f"urn:guardian:problem:{refused.slug}",
        "title": refused.title,
        "status": status,
        "detail": refused.detail if choices.reason_told else HTTPStatus(status).phrase,
        "instance": instance,
    }
    if refused.code is not None and choices.error_code:
        document["code"] = refused.code.value
    return document


def problem(
    refused: Refused,
    instance: str,
    choices: Choices = FAKE,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with a problem."""
    document = problem_json(refused, instance, choices)
    own = {"WWW-Authenticate": 'Bearer realm="guardian"'} if refused.status == _UNAUTHORIZED else {}
    return JSONResponse(
        document, status_code=document["status"], headers={**own, **(headers or {})}, media_type=PROBLEM
    )


async def read_body(request: Request, most: int = LARGEST_BODY) -> bytes:
    """Read a body of bounded length.

    :param most: bytes that it may have.
    :raises Refused: it is longer.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise refusals.too_large(f"the body is longer than {most} bytes")
    return bytes(body)


async def read_json(request: Request, model: type[Body]) -> Body:
    """Read a JSON body.

    :raises Refused: it is too long, not said to be JSON, not JSON, or not of this form.
    """
    kind = media_type(request)
    if kind != JSON:
        raise refusals.media_type_unknown(f"{kind or 'none'}; expected {JSON}")
    return parse_json(model, await read_body(request))


def parse_json(model: type[Body], body: bytes) -> Body:
    """Parse a JSON body.

    :raises Refused: it is not JSON or not of this form; the text says where, and never repeats a value, since
        values may be secrets.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        text = f"{where}: {first['msg']}" if where else str(first["msg"])
        raise Refused(400, "bad-request", "Not a request of this kind", text) from None


def bad_request(detail: str) -> Refused:
    """Something in the query or in a header cannot be."""
    return Refused(400, "bad-request", "Not a request of this kind", detail)


def media_type(request: Request) -> str:
    """Return the media type of a body without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def exception_handlers(choices: Choices = FAKE) -> Mapping[Any, ExceptionHandler]:
    """Return what an application answers when a call of it ends in an exception."""

    def on_refusal(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)  # noqa: S101 - starlette's type says only Exception
        return problem(error, request.url.path, choices)

    def on_http_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - as above
        phrase = HTTPStatus(error.status_code).phrase
        slug = phrase.lower().replace(" ", "-")
        refused = Refused(error.status_code, slug, phrase, error.detail)
        return problem(refused, request.url.path, choices, error.headers)

    def on_hang_up(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)  # nobody reads it: whoever asked is gone

    def on_failure(request: Request, _error: Exception) -> Response:
        text = "the fake failed; its log says where"
        return problem(Refused(500, "fake-failed", "The fake failed", text), request.url.path, choices)

    return {
        Refused: on_refusal,
        HTTPException: on_http_problem,
        ClientDisconnect: on_hang_up,
        Exception: on_failure,
    }
