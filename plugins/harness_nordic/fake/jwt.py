"""The JWT of a device, checked against the key that the factory registered.

Form and checks: nrfcloud fact sheet, sections 3.1 and 4.6.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from harness_nordic.fake.refusals import BadCredentials, NotAuthenticated
from harness_nordic.fake.tokens import decode_base64url, signature_is_valid

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_nordic.fake.records import FactoryRecord

CLOCK_SKEW = 60.0
"""Seconds that a board's clock may be behind ours: virtual boards may have odd clocks (section 3.1)."""

_ISSUER = re.compile(r"[^.]+\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.ASCII)


def verify_jwt(jwt: str, find: Callable[[str], FactoryRecord | None], *, now: float) -> FactoryRecord:
    """Find out which device made a JWT, and that it did. Every call verifies; a verdict is never kept.

    :param jwt: compact form.
    :param find: gives the factory record of a device UUID, or ``None``.
    :param now: seconds since the epoch.
    :raises NotAuthenticated: it is no JWT, or its device is unknown.
    :raises BadCredentials: the device is known, but this JWT does not prove that it is the device.
    """
    parts = jwt.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - RFC 7515: header, payload, signature
        raise NotAuthenticated("not a JWT")
    try:
        header, claims = _json_object(parts[0]), _json_object(parts[1])
        signature = decode_base64url(parts[2])
    except (ValueError, RecursionError) as error:
        raise NotAuthenticated("the JWT cannot be read") from error
    issuer = claims.get("iss")
    match = _ISSUER.fullmatch(issuer) if isinstance(issuer, str) else None
    record = find(match[1]) if match else None
    if record is None:
        raise NotAuthenticated("the device is unknown")
    _check_header(header, record)
    signed = jwt[: len(parts[0]) + 1 + len(parts[1])].encode()
    if not signature_is_valid(record.public_key, signature, signed):
        raise BadCredentials("the signature of the JWT does not verify")
    _check_life(claims, now)
    return record


def _check_header(header: dict[str, Any], record: FactoryRecord) -> None:
    if header.get("alg") != "ES256":
        raise BadCredentials("the JWT is not signed by ES256")
    if "crit" in header:
        raise BadCredentials("the JWT asks for an extension that is not known here")
    if "kid" in header and header["kid"] != record.key_id:
        raise BadCredentials("the JWT names another key than the device's identity key")


def _check_life(claims: dict[str, Any], now: float) -> None:
    expiry = claims.get("exp")
    if isinstance(expiry, bool) or not isinstance(expiry, int | float):
        raise BadCredentials("the JWT has no time of expiry")
    if not now < expiry + CLOCK_SKEW:
        raise BadCredentials("the JWT has expired")


def _json_object(part: str) -> dict[str, Any]:
    value = json.loads(decode_base64url(part))
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - a wrong content, not a wrong argument
    return value
