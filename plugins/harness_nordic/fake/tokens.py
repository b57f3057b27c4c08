"""Attestation tokens and KEYGEN output, verified against the key that the factory registered.

Both are ``base64url(body) "." base64url(COSE_Sign1)`` (nrfcloud fact sheet, sections 4.1 and 4.2).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from harness_nordic.enums import DeviceType, KeygenOutput, MessageType, SigningKey
from harness_nordic.fake.refusals import TokenRefused

_SELF_DESCRIBED = bytes.fromhex("d9d9f7")
_PROTECTED_ES256 = bytes.fromhex("a10126")
_COSE_SIGN1 = 18
_KEY_ID = 4
_SIGNATURE_LENGTH = 64
_HALF = 32
_UUID_LENGTH = 16
_ALPHABET = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_ECDSA_SHA256 = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """What an attestation token says, and what is needed to check that it is true.

    :ivar device_id: the device UUID, lower case with hyphens.
    :ivar firmware_id: UUID of the modem firmware.
    :ivar signed: the bytes under the signature.
    """

    device_id: str
    device_type: DeviceType
    firmware_id: str
    signed: bytes
    signature: bytes


def decode_base64url(text: str) -> bytes:
    """Decode base64url without padding, strictly.

    :raises ValueError: a character outside the alphabet, padding, or an impossible length.
    """
    if not _ALPHABET.fullmatch(text):
        raise ValueError("not base64url")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def load_public_key(text: str) -> ec.EllipticCurvePublicKey:
    """Load an identity public key from an uncompressed point in hex, or from PEM.

    :raises ValueError: it is neither, or not a key on P-256.
    """
    if text.lstrip().startswith("-----BEGIN"):
        key = serialization.load_pem_public_key(text.encode())
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("not a public key on P-256")
        return key
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(text))


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """Return the ``kid`` of a key: SHA-256 of its DER form in lower-case hex (section 4.6)."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def signature_is_valid(key: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    """Tell whether a raw ``r || s`` signature is by this key."""
    if len(signature) != _SIGNATURE_LENGTH:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        key.verify(encode_dss_signature(r, s), signed, _ECDSA_SHA256)
    except InvalidSignature:
        return False
    return True


def read_attestation(token: str) -> Attestation:
    """Read an attestation token; its signature is not checked yet.

    :raises TokenRefused: it is none.
    """
    body, cose = _halves(token)
    items = _signed_items(body)
    if len(items) != 5 or items[0] != MessageType.DEVICE_IDENTITY:  # noqa: PLR2004 - section 4.1: array(5)
        raise TokenRefused("the token is no attestation of a device's identity")
    _, device, device_type, firmware, nonce = items
    if not all(_is_uuid_bytes(item) for item in (device, firmware, nonce)) or type(device_type) is not int:
        raise TokenRefused("the attestation token has items of the wrong kind")
    try:
        chip = DeviceType(device_type)
    except ValueError as error:
        raise TokenRefused(f"the attestation token names an unknown device type: {device_type}") from error
    payload, signature = _open_cose(cose)
    if payload is not None:
        raise TokenRefused("the attestation token carries a payload of its own")
    return Attestation(
        device_id=str(uuid.UUID(bytes=device)),
        device_type=chip,
        firmware_id=str(uuid.UUID(bytes=firmware)),
        signed=_signature_structure(body, None),
        signature=signature,
    )


def verify_attestation(attestation: Attestation, key: ec.EllipticCurvePublicKey) -> None:
    """Check that a device's identity key signed its token.

    :raises TokenRefused: another key did.
    """
    if not signature_is_valid(key, attestation.signature, attestation.signed):
        raise TokenRefused("the signature of the attestation token does not verify")


def verify_keygen(
    text: str, key: ec.EllipticCurvePublicKey, *, device_id: str, sec_tag: int, output: KeygenOutput
) -> None:
    """Check KEYGEN output ``<body>.<cose>``: form, device, security tag, digest and signature.

    :param text: without ``%KEYGEN:`` and quotes.
    :param key: the device's identity key.
    :raises TokenRefused: anything of it does not fit.
    """
    body, cose = _halves(text)
    payload, signature = _open_cose(cose)
    if not isinstance(payload, bytes):
        raise TokenRefused("the KEYGEN output has no signed payload")
    items = _signed_items(payload)
    wanted = MessageType.CSR if output is KeygenOutput.CSR else MessageType.PUBLIC_KEY
    if len(items) != 5 or items[0] != wanted:  # noqa: PLR2004 - section 4.2: array(5)
        raise TokenRefused("the KEYGEN output is not of the kind that was asked for")
    _, device, tag, digest, _nonce = items
    if device != uuid.UUID(device_id).bytes:
        raise TokenRefused("the KEYGEN output is of another device")
    if tag != cbor2.dumps(sec_tag):
        raise TokenRefused("the KEYGEN output is for another security tag")
    if digest != hashlib.sha256(body).digest():
        raise TokenRefused("the digest in the KEYGEN output does not fit its body")
    if not signature_is_valid(key, signature, _signature_structure(body, payload)):
        raise TokenRefused("the signature of the KEYGEN output does not verify")


def _halves(token: str) -> tuple[bytes, bytes]:
    body, _, cose = token.partition(".")
    if not body or not cose:
        raise TokenRefused("malformed token: not two parts; expected <base64url>.<base64url>")
    try:
        return decode_base64url(body), decode_base64url(cose)
    except ValueError as error:
        raise TokenRefused(f"malformed token: {error}; expected <base64url>.<base64url>") from error


def _signed_items(data: bytes) -> list[Any]:
    items = _load(data.removeprefix(_SELF_DESCRIBED)) if data.startswith(_SELF_DESCRIBED) else None
    if not isinstance(items, list):
        raise TokenRefused("malformed token: not a self-described CBOR array")
    return items


def _open_cose(cose: bytes) -> tuple[Any, bytes]:
    message = _load(cose)
    if not isinstance(message, cbor2.CBORTag) or message.tag != _COSE_SIGN1:
        raise TokenRefused("malformed token: the second part is no COSE_Sign1")
    parts = message.value
    # Inside a tag cbor2 gives tuples and frozen mappings since version 6, lists and dictionaries before.
    if not isinstance(parts, list | tuple) or len(parts) != 4:  # noqa: PLR2004 - RFC 9052: four parts
        raise TokenRefused("malformed token: a COSE_Sign1 has four parts")
    protected, unprotected, payload, signature = parts
    if protected != _PROTECTED_ES256:
        raise TokenRefused("the token is not signed by ES256")
    identity_key = {_KEY_ID: cbor2.dumps(int(SigningKey.IDENTITY))}
    if not isinstance(unprotected, Mapping) or dict(unprotected) != identity_key:
        raise TokenRefused("the token does not say that it is signed by the device's identity key")
    if not isinstance(signature, bytes):
        raise TokenRefused("malformed token: the signature is no byte string")
    return payload, signature


def _signature_structure(body: bytes, payload: bytes | None) -> bytes:
    """Return what is signed: the body stands where COSE has the external data (section 4.1)."""
    return cbor2.dumps(["Signature1", _PROTECTED_ES256, body, payload])


def _load(data: bytes) -> Any:
    try:
        return cbor2.loads(data, max_depth=8)
    except cbor2.CBORError as error:
        raise TokenRefused("malformed token: not CBOR") from error


def _is_uuid_bytes(item: Any) -> bool:
    return isinstance(item, bytes) and len(item) == _UUID_LENGTH
