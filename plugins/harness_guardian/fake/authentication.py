"""Who asks: a user with a token, or a device that knows the nonce of its own request (fact sheet, 10.5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness_guardian.enums import Role
from harness_guardian.fake import refusals
from harness_guardian.fake.refusals import Refused

if TYPE_CHECKING:
    from starlette.requests import Request

    from harness_guardian.enums import ProvisionSource
    from harness_guardian.fake.records import ProvisioningRequest, User
    from harness_guardian.fake.service import GuardianService

_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_NONCE = re.compile(r"guardian-nonce +([A-Za-z0-9_-]{1,200}={0,2})", re.IGNORECASE)


def says_who(request: Request) -> bool:
    """Tell whether a request says who makes it."""
    return "authorization" in request.headers


def user_of(service: GuardianService, request: Request) -> User:
    """Return the user whose token a request carries.

    :raises Refused: 401, it carries none, or nobody's.
    """
    match = _BEARER.fullmatch(_authorization(request))
    if match is None:
        raise refusals.not_authenticated()
    return service.user_by_token(match[1])


def admin_of(service: GuardianService, request: Request, what: str) -> User:
    """Return the administrator who asks.

    :param what: an administrator may, and nobody else.
    :raises Refused: 401, or 403 for another role.
    """
    user = user_of(service, request)
    if user.role is not Role.ADMIN:
        raise refusals.role_too_low(f"only an Admin may {what}, not {_with_article(user.role)}")
    return user


def uploader_of(service: GuardianService, request: Request) -> User | None:
    """Return the user who brings a provisioning request, or nothing when a device brings its own.

    :raises Refused: 401, a token is there, but nobody's.
    """
    if not says_who(request) or _NONCE.fullmatch(_authorization(request)):
        return None
    return user_of(service, request)


def reader_of(
    service: GuardianService, request: Request, door: ProvisionSource, identifier: str
) -> tuple[ProvisioningRequest, User | None]:
    """Return the provisioning request that is asked about, and the user who asks; ``None`` is its device.

    A device that does not know the nonce is told what it would be told if there were no such request.

    :raises Refused: 401, or 404 when there is none that whoever asks may see.
    """
    match = _NONCE.fullmatch(_authorization(request))
    if match is None:
        user = user_of(service, request)
        return service.request_for(user, door, identifier), user
    found = service.request(door, identifier)
    if not service.is_device_of(found, match[1]):
        raise refusals.not_found(f"there is no provisioning request {identifier!r}")
    return found, None


def who_asks(
    service: GuardianService, request: Request, door: ProvisionSource, identifier: str | None
) -> str | None:
    """Return the organisation of whoever asks; ``None`` when that is not known.

    :param identifier: of the provisioning request that is asked about, if one is.
    """
    try:
        if identifier is None:
            return user_of(service, request).organisation
        found, user = reader_of(service, request, door, identifier)
    except Refused:
        return None
    return found.organisation if user is None else user.organisation


def _authorization(request: Request) -> str:
    return request.headers.get("authorization", "").strip()


def _with_article(role: Role) -> str:
    return f"an {role.value}" if role.value[0] in "AEIOU" else f"a {role.value}"
