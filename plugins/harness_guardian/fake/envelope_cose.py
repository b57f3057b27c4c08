"""The COSE form of a provisioning request: COSE_Sign1 over a CBOR map (guardian fact sheet, section 10.3).

RFC 9052: header parameters alg 1, crit 2, kid 4; RFC 9360: x5chain 33. All that counts is protected.
"""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from harness_guardian.fake import refusals
from harness_guardian.fake.envelopes import (
    EDDSA,
    ES256,
    SIGNATURE_LENGTH,
    Envelope,
    encode_base64url,
    read_chain,
)

if TYPE_CHECKING:
    from cryptography import x509

    from harness_guardian.fake.envelopes import PublicKey

TAG = 18
ALG, CRIT, KID, X5CHAIN = 1, 2, 4, 33
ALGORITHMS = {-7: ES256, -8: EDDSA}
THUMBPRINT_LENGTH = 32
"""Bytes of an RFC 7638 thumbprint; a kid holds them as they are, or as the text that JOSE writes."""

_PARTS = 4  # protected, unprotected, payload, signature


def read(content: bytes) -> Envelope:
    """Read a request.

    :raises Refused: 400, its payload cannot be read.
    """
    message = _decoded(content, "the request")
    tagged = isinstance(message, cbor2.CBORTag)
    parts = message.value if isinstance(message, cbor2.CBORTag) else message
    if not isinstance(parts, list | tuple) or len(parts) != _PARTS or not isinstance(parts[2], bytes):
        raise refusals.undecodable("the request is no COSE_Sign1")
    payload = _decoded(parts[2], "the payload")
    if not isinstance(payload, dict) or not all(isinstance(key, str) for key in payload):
        raise refusals.undecodable("the payload is no CBOR map of texts")
    try:
        if not tagged or message.tag != TAG:
            raise ValueError("the request has not the tag of COSE_Sign1")  # noqa: TRY301 - one place says it
        return _well_formed(list(parts), payload)
    except ValueError as error:
        return Envelope(payload=payload, fault=str(error))


def _well_formed(parts: list[Any], payload: dict[str, Any]) -> Envelope:
    protected, _unprotected, content, signature = parts
    if not isinstance(signature, bytes) or len(signature) != SIGNATURE_LENGTH:
        raise ValueError(f"the signature has not {SIGNATURE_LENGTH} bytes")
    header = _header(protected)
    if header.get(ALG) not in tuple(
        ALGORITHMS
    ):  # a list may stand there, which no mapping could be asked for
        raise ValueError("alg: expected ES256 (-7) or EdDSA (-8)")
    if CRIT in header:
        raise ValueError("the request asks for an extension that is not known here")
    chain = _chain(header[X5CHAIN]) if X5CHAIN in header else ()
    return Envelope(
        payload=payload,
        fault=None,
        kid=_kid(header.get(KID)),
        algorithm=ALGORITHMS[header[ALG]],
        chain=chain,
        _verify=partial(_is_signed_by, protected, content, signature),
    )


def _header(protected: Any) -> dict[Any, Any]:
    if not isinstance(protected, bytes):
        raise ValueError("the protected header is no byte string")  # noqa: TRY004 - a wrong content
    try:
        header = _decoded(protected, "the protected header")
    except refusals.Refused as refusal:
        raise ValueError(refusal.detail) from None
    if not isinstance(header, dict):
        raise ValueError("the protected header is no map")  # noqa: TRY004 - as above
    return header


def _kid(kid: Any) -> str:
    if not isinstance(kid, bytes) or not kid:
        raise ValueError("kid: expected the thumbprint of the signer's key")
    if len(kid) == THUMBPRINT_LENGTH:
        return encode_base64url(kid)
    try:
        return kid.decode("ascii")
    except UnicodeDecodeError:
        raise ValueError("kid: expected the thumbprint of the signer's key") from None


def _chain(certificates: Any) -> tuple[x509.Certificate, ...]:
    every = certificates if isinstance(certificates, list | tuple) else [certificates]
    if not all(isinstance(each, bytes) for each in every):
        raise ValueError("x5chain: expected byte strings")
    return read_chain(list(every))


def _is_signed_by(protected: bytes, content: bytes, signature: bytes, key: PublicKey) -> bool:
    signed = cbor2.dumps(["Signature1", protected, b"", content])
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            half = SIGNATURE_LENGTH // 2
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        else:
            key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _decoded(data: bytes, what: str) -> Any:
    """Read one CBOR item and nothing behind it.

    :raises Refused: 400.
    """
    stream = io.BytesIO(data)
    try:
        item = cbor2.load(stream)
    except Exception:  # noqa: BLE001 - its tags (dates, patterns, addresses) fail in as many ways as there are
        raise refusals.undecodable(f"{what} is not CBOR") from None
    if stream.read(1):
        raise refusals.undecodable(f"{what} is followed by something else")
    return item
