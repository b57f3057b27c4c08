"""What the API refuses, as exceptions (pelion fact sheet, section 4: errors)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness_pelion.enums import ErrorType

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Refused(Exception):
    """A call that is not done.

    :ivar status: HTTP status.
    :ivar kind: type of the error.
    :ivar text: why; no secrets.
    :ivar fields: names of fields of the body or query that are wrong, and what is wrong with each.
    :ivar headers: of the answer.
    """

    status: int
    kind: str
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def invalid(name: str, text: str) -> Refused:
    """Something in the body or in the query cannot be."""
    return Refused(400, ErrorType.VALIDATION_ERROR, f"{name}: {text}", {name: text})


def bad_request(text: str) -> Refused:
    """The request as a whole cannot be read."""
    return Refused(400, ErrorType.BAD_REQUEST, text)


def no_key(text: str) -> Refused:
    """Nobody says who asks."""
    return Refused(401, ErrorType.INVALID_TOKEN, text, headers={"WWW-Authenticate": "Bearer"})


def bad_key() -> Refused:
    """Somebody asks whom nobody knows, or no more."""
    headers = {"WWW-Authenticate": "Bearer"}
    return Refused(401, ErrorType.INVALID_APIKEY, "the API key is not valid", headers=headers)


def denied(text: str) -> Refused:
    """Somebody asks who may not."""
    return Refused(403, ErrorType.ACCESS_DENIED, text)


def limit_exceeded(status: int, text: str) -> Refused:
    """The account has all that it may have."""
    return Refused(status, ErrorType.ACCOUNT_LIMIT_EXCEEDED, text)


def not_found(what: str) -> Refused:
    """There is no such thing, or it is another account's."""
    return Refused(404, ErrorType.NOT_FOUND, f"there is no such {what}")


def duplicate(text: str) -> Refused:
    """There is such a thing already; the status's phrase is what real clients look for."""
    return Refused(409, ErrorType.DUPLICATE, text)
