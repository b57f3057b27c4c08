"""The control protocol of the bench: one JSON object a line, over a UNIX stream socket.

A request is ``{"id": 1, "method": "unplug", "params": {"board": "b1"}}``. Its answer carries the same id
and either ``"result"`` or ``"error"``, a text for a person, with ``"fault"``: ``"usage"`` if the caller
asked for something that cannot be, ``"bench"`` otherwise. A line that is no request is answered with the
id ``null``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from harness.errors import BenchFault, UsageError

SOCKET_NAME = "control.sock"
LOG_NAME = "bench.log"
PORTS_NAME = "dev"
LEASES_NAME = "leases"
USB_NAME = "usb"

# A vendor's call may carry a file of certificates; more is a mistake.
MOST_LINE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    :ivar id: chosen by the client, repeated in the answer.
    :ivar method: what to do.
    :ivar params: with what.
    """

    id: int
    method: str
    params: dict[str, Any]


def encode(message: dict[str, Any]) -> bytes:
    """Return a message as a line.

    :raises ValueError: a value that JSON has no form for.
    """
    try:
        return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def decode(line: bytes) -> dict[str, Any]:
    """Return the object of one line.

    :raises ValueError: the line is no JSON object.
    """
    try:
        message = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(message, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one kind of error for one kind of wrong
    return message


def decode_request(line: bytes) -> Request:
    """Return the request of one line.

    :raises ValueError: the line is no request.
    """
    message = decode(line)
    number, method, params = message.get("id"), message.get("method"), message.get("params", {})
    if type(number) is not int:
        raise ValueError("id: expected an integer")
    if not isinstance(method, str):
        raise ValueError("method: expected a text")  # noqa: TRY004 - as above
    if not isinstance(params, dict):
        raise ValueError("params: expected an object")  # noqa: TRY004 - as above
    return Request(number, method, params)


def result_line(number: int, result: Any) -> bytes:
    """Return the answer to a request that was fulfilled.

    :raises ValueError: a result that JSON has no form for.
    """
    return encode({"id": number, "result": result})


def error_line(number: int | None, error: Exception) -> bytes:
    """Return the answer to a request that was not fulfilled."""
    fault = "usage" if isinstance(error, UsageError) else "bench"
    return encode({"id": number, "error": str(error), "fault": fault})


def raise_error(answer: dict[str, Any]) -> None:
    """Raise what an answer reports, if it does.

    :raises UsageError: the request asked for something that cannot be.
    :raises BenchFault: the bench could not do it.
    """
    if "error" in answer:
        text = str(answer["error"])
        raise UsageError(text) if answer.get("fault") == "usage" else BenchFault(text)
