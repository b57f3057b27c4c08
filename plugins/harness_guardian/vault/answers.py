"""What the Vault answers: the envelope of a success, the list of errors, and what a body may be.

Forms and statuses: guardian fact sheet, section 11.1.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

LARGEST_BODY = 1024 * 1024
BAD_REQUEST = 400
PERMISSION_DENIED = 403
NOT_FOUND = 404
NOT_ALLOWED = 405
TOO_LARGE = 413
SEALED = 503


class VaultProblem(Exception):
    """A call is answered with errors.

    :ivar status: of the answer.
    :ivar errors: its texts; may be empty.
    """

    def __init__(self, status: int, *errors: str) -> None:
        """Say what is wrong."""
        super().__init__(", ".join(errors) or f"status {status}")
        self.status = status
        self.errors = errors


def refused(text: str) -> VaultProblem:
    """Return the answer to a request that is wrong in itself, or that a role does not allow."""
    return VaultProblem(BAD_REQUEST, text)


def not_found(*errors: str) -> VaultProblem:
    """Return the answer to a request for something that is not there; mostly it says nothing."""
    return VaultProblem(NOT_FOUND, *errors)


def with_data(data: dict[str, Any] | None, warnings: Sequence[str] = ()) -> Response:
    """Answer with data in Vault's envelope.

    :param data: ``None``: there is nothing to tell, the answer has no body.
    """
    if data is None:
        return Response(status_code=204)
    envelope = {
        "request_id": str(uuid.uuid4()),
        "lease_id": "",
        "renewable": False,
        "lease_duration": 0,
        "data": data,
        "wrap_info": None,
        "warnings": list(warnings) or None,
        "auth": None,
    }
    return JSONResponse(envelope)


def with_errors(status: int, errors: Sequence[str]) -> Response:
    """Answer with errors: ``{"errors": [...]}``."""
    return JSONResponse({"errors": list(errors)}, status_code=status)


async def read_parameters(request: Request) -> dict[str, Any]:
    """Read the body of a write: a JSON object, or nothing.

    :raises VaultProblem: it is too long, or something else.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise VaultProblem(TOO_LARGE, f"http: request body too large: more than {LARGEST_BODY} bytes")
    if not body:
        return {}
    try:
        parameters = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise refused("failed to parse JSON input: the body is no JSON") from error
    if not isinstance(parameters, dict):
        raise refused("failed to parse JSON input: the body is no JSON object")
    return parameters
