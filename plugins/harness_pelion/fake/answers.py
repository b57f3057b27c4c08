"""What every answer of the API has in common: JSON, errors, the id of the request, bodies that are read."""

from __future__ import annotations

import json
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from harness_pelion.enums import ErrorType
from harness_pelion.fake.refusals import Refused, bad_request, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request
    from starlette.types import ExceptionHandler

    from harness_pelion.fake.choices import Choices

LARGEST_BODY = 256 * 1024
"""Bytes of any body that is sent to the API [design]."""

REQUEST_ID = "X-Request-ID"

_JSON = "application/json"

_TYPES: Mapping[int, ErrorType] = {
    404: ErrorType.NOT_FOUND,
    405: ErrorType.METHOD_NOT_SUPPORTED,
    406: ErrorType.NOT_ACCEPTABLE,
    412: ErrorType.PRECONDITION_FAILED,
    413: ErrorType.BAD_REQUEST,
    415: ErrorType.UNSUPPORTED_MEDIA_TYPE,
    429: ErrorType.RATE_LIMIT_EXCEEDED,
    500: ErrorType.INTERNAL_SERVER_ERROR,
}


class Body(BaseModel):
    """Base of what clients send: right types; fields that the fake does not know are passed over."""

    model_config = ConfigDict(strict=True, extra="ignore")


def type_of(status: int) -> ErrorType:
    """Return the type of an error by its status alone (pelion fact sheet, section 4)."""
    if status in _TYPES:
        return _TYPES[status]
    return (
        ErrorType.SYSTEM_UNAVAILABLE if status > HTTPStatus.INTERNAL_SERVER_ERROR else ErrorType.BAD_REQUEST
    )


def error(refused: Refused, request_id: str, choices: Choices) -> Response:
    """Answer with an error."""
    decided: Mapping[str, str] = {
        ErrorType.INVALID_APIKEY: choices.bad_key,
        ErrorType.INVALID_TOKEN: choices.no_key,
        ErrorType.VALIDATION_ERROR: choices.invalid,
    }
    document: dict[str, Any] = {
        "object": "error",
        "code": refused.status,
        "type": decided.get(refused.kind, refused.kind),
        "message": refused.text if choices.reason_told else responses.get(refused.status, ""),
        "request_id": request_id,
    }
    if refused.fields and choices.fields_told:
        document["fields"] = [{"name": name, "message": text} for name, text in refused.fields.items()]
    headers = {REQUEST_ID: request_id, **refused.headers}
    return JSONResponse(document, status_code=refused.status, headers=headers)


def ordered_error(status: int, retry_after: int | None) -> Refused:
    """Return the refusal that a test ordered."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Refused(status, type_of(status), "a test ordered this answer", headers=headers)


def without_nulls(document: dict[str, Any], required: Iterable[str], choices: Choices) -> dict[str, Any]:
    """Return an object as it is sent, with or without its optional fields that have no value."""
    if choices.nulls:
        return document
    kept = set(required)
    return {name: value for name, value in document.items() if name in kept or value not in (None, "")}


async def read_body(request: Request) -> bytes:
    """Read a body of bounded length.

    :raises Refused: it is longer.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise Refused(413, type_of(413), f"the body is longer than {LARGEST_BODY} bytes")
    return bytes(body)


async def read_json(request: Request) -> dict[str, Any]:
    """Read a body that is a JSON object.

    :raises Refused: it is too long, not said to be JSON, or no object.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON:
        raise Refused(415, ErrorType.UNSUPPORTED_MEDIA_TYPE, f"expected {_JSON}")
    document = decoded(await read_body(request))
    if not isinstance(document, dict):
        raise bad_request("the body is no JSON object")
    return document


def decoded(body: bytes) -> Any:
    """Return what a body says in JSON.

    :raises Refused: it is none.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise bad_request("the body is not JSON") from None


def check(model: type[BaseModel], document: Any) -> Any:
    """Return a body as what it is.

    :raises Refused: a field is missing or of a wrong type; the text never repeats a value.
    """
    try:
        return model.model_validate(document)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise invalid(where, str(first["msg"])) from None


def exception_handlers(choices: Choices, new_request_id: Any) -> Mapping[Any, ExceptionHandler]:
    """Return what an application answers to a call that no route takes, or that fails.

    :param new_request_id: makes the id of such a request.
    """

    def on_refusal(_request: Request, problem: Exception) -> Response:
        assert isinstance(problem, Refused)  # noqa: S101 - starlette's type says only Exception
        return error(problem, new_request_id(), choices)

    def on_http_problem(_request: Request, problem: Exception) -> Response:
        assert isinstance(problem, HTTPException)  # noqa: S101 - as above
        status = problem.status_code
        headers = dict(problem.headers or {})
        return error(
            Refused(status, type_of(status), problem.detail, headers=headers), new_request_id(), choices
        )

    def on_hang_up(_request: Request, _problem: Exception) -> Response:
        return Response(status_code=400)  # nobody reads it: whoever asked is gone

    def on_failure(_request: Request, _problem: Exception) -> Response:
        return error(
            Refused(500, type_of(500), "the fake failed; its log says where"), new_request_id(), choices
        )

    return {
        Refused: on_refusal,
        HTTPException: on_http_problem,
        ClientDisconnect: on_hang_up,
        Exception: on_failure,
    }
