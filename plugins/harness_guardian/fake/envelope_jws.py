"""The JWS form of a provisioning request: RFC 7515, flattened JSON, one signature (fact sheet, 10.3)."""

from __future__ import annotations

import base64
import binascii
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, OKPKey

from harness_guardian.fake import refusals
from harness_guardian.fake.envelopes import (
    EDDSA,
    ES256,
    LARGEST_REQUEST,
    SIGNATURE_LENGTH,
    Envelope,
    decode_base64url,
    read_chain,
)

if TYPE_CHECKING:
    from cryptography import x509
    from joserfc.jws import FlattenedJSONSerialization

    from harness_guardian.fake.envelopes import PublicKey

TYPES = frozenset({"guardian-pr+jws", "application/guardian-pr+jws"})
"""What ``typ`` may say; RFC 7515 lets ``application/`` be left out."""


class _Registry(jws.JWSRegistry):
    """Knows the two algorithms of requests; RFC 9864 deprecates the name of one, devices still say it.

    What is too long was refused before: chains and CSRs do not fit the lengths of common tokens.
    """

    max_header_length = max_payload_length = LARGEST_REQUEST

    def get_alg(self, name: str) -> Any:
        if name not in (ES256, EDDSA):
            raise UnsupportedAlgorithmError(f"{name} signs no requests")
        return self.algorithms[name]


_REGISTRY = _Registry(strict_check_header=False)


def read(content: bytes) -> Envelope:
    """Read a request.

    :raises Refused: 400, its payload cannot be read.
    """
    document = _object(content, "the request")
    payload = document.get("payload")
    if not isinstance(payload, str):
        raise refusals.undecodable("the JWS has no payload")
    try:
        # Padding does not keep anybody from reading it; that it is wrong shows in the row.
        data = decode_base64url(payload.rstrip("="))
    except ValueError:
        raise refusals.undecodable("the payload of the JWS is not base64url") from None
    claims = _object(data, "the payload")
    try:
        if payload.endswith("="):
            raise ValueError("the payload of the JWS is padded")  # noqa: TRY301 - one place says what is wrong
        return _well_formed(document, claims)
    except ValueError as error:
        return Envelope(payload=claims, fault=str(error))


def _well_formed(document: dict[str, Any], claims: dict[str, Any]) -> Envelope:
    signature = document.get("signature")
    if not isinstance(signature, str):
        raise ValueError("the JWS has no signature")  # noqa: TRY004 - a wrong content, not a wrong argument
    if len(decode_base64url(signature)) != SIGNATURE_LENGTH:
        raise ValueError(f"the signature has not {SIGNATURE_LENGTH} bytes")
    header = _header(document)
    # Looked for in tuples, not in sets: what stands there may be a list, which no set could be asked for.
    if header.get("typ") not in tuple(TYPES):
        raise ValueError("typ: expected guardian-pr+jws")
    if header.get("alg") not in (ES256, EDDSA):
        raise ValueError("alg: expected ES256 or EdDSA")
    if "crit" in header or "b64" in header:
        raise ValueError("the JWS asks for an extension that is not known here")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise ValueError("kid: expected the thumbprint of the signer's key")
    chain = _chain(header["x5c"]) if "x5c" in header else ()
    kept: FlattenedJSONSerialization = {
        "payload": document["payload"],
        "protected": document["protected"],
        "signature": signature,
    }
    verify = partial(_is_signed_by, kept)
    return Envelope(payload=claims, fault=None, kid=kid, algorithm=header["alg"], chain=chain, _verify=verify)


def _header(document: dict[str, Any]) -> dict[str, Any]:
    protected = document.get("protected")
    if not isinstance(protected, str):
        raise ValueError("the JWS has no protected header")  # noqa: TRY004 - as above
    try:
        return _object(decode_base64url(protected), "the protected header")
    except refusals.Refused as refusal:
        raise ValueError(refusal.detail) from None


def _chain(certificates: Any) -> tuple[x509.Certificate, ...]:
    if not isinstance(certificates, list) or not all(isinstance(each, str) for each in certificates):
        raise ValueError("x5c: expected a list of base64 texts")
    try:
        return read_chain([base64.b64decode(each, validate=True) for each in certificates])
    except binascii.Error:
        raise ValueError("x5c: expected a list of base64 texts") from None


def _is_signed_by(kept: FlattenedJSONSerialization, key: PublicKey) -> bool:
    try:
        jws.deserialize_json(kept, _as_jwk(key), registry=_REGISTRY)
    except (JoseError, ValueError):
        return False
    return True


def _as_jwk(key: PublicKey) -> ECKey | OKPKey:
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return ECKey.import_key(pem) if isinstance(key, ec.EllipticCurvePublicKey) else OKPKey.import_key(pem)


def _object(data: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object.

    :raises Refused: 400.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise refusals.undecodable(f"{what} is not JSON") from None
    if not isinstance(value, dict):
        raise refusals.undecodable(f"{what} is not a JSON object")
    return value
