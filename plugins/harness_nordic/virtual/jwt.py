"""JWTs as the modem makes them (nrfcloud fact sheet, section 4.6)."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from harness_nordic.virtual import signing
from harness_nordic.virtual.tokens import base64url

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

    from harness_nordic.virtual.identity import DeviceIdentity


def make_jwt(
    identity: DeviceIdentity,
    key: ec.EllipticCurvePrivateKey,
    *,
    life: tuple[int, int] | None,
    subject: str = "",
    audience: str = "",
    forged: bool = False,
) -> str:
    """Make a signed JWT.

    :param identity: of the board; ``iss`` and ``jti`` name it and its firmware.
    :param key: the key that ``kid`` names and that signs.
    :param life: ``iat`` and ``exp``, or ``None`` for neither.
    :param subject: ``sub``; left out when empty.
    :param audience: ``aud``; left out when empty.
    :param forged: sign with a key that nobody knows, for tests.
    """
    chip = identity.chip
    claims: dict[str, str | int] = {
        "iss": f"{chip.name}.{identity.uuid}",
        "jti": f"{chip.name}.{chip.firmware_uuid}.{secrets.token_hex(16)}",
    }
    if life is not None:
        claims["iat"], claims["exp"] = life
    if subject:
        claims["sub"] = subject
    if audience:
        claims["aud"] = audience
    header = {"typ": "JWT", "alg": "ES256", "kid": signing.key_id(key)}
    signed = f"{_part(header)}.{_part(claims)}"
    signer = signing.new_key() if forged else key
    return f"{signed}.{base64url(signing.raw_signature(signer, signed.encode()))}"


def _part(content: dict[str, str] | dict[str, str | int]) -> str:
    # C users look for the text iss":" directly followed by the value: no blank may stand there.
    compact = json.dumps(content, separators=(",", ":"), ensure_ascii=True)
    return base64url(compact.encode())
