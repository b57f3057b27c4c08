"""Attestation tokens and the signed half of KEYGEN output, to the byte (nrfcloud fact sheet, 4.1 and 4.2)."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from harness_nordic.virtual import cbor, signing

if TYPE_CHECKING:
    from uuid import UUID

    from cryptography.hazmat.primitives.asymmetric import ec

    from harness_nordic.virtual.identity import DeviceIdentity

_IDENTITY_MESSAGE = 1
CSR_MESSAGE = 9
PUBLIC_KEY_MESSAGE = 8

_PROTECTED = bytes.fromhex("a10126")  # {1: -7}: ES256
_UNPROTECTED = bytes.fromhex("a1044121")  # {4: h'21'}: kid -2, the identity key
_SIGN1 = bytes.fromhex("d284")  # COSE_Sign1, four elements


def base64url(data: bytes) -> str:
    """Encode without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def attestation_token(
    identity: DeviceIdentity,
    nonce: bytes,
    *,
    key: ec.EllipticCurvePrivateKey | None = None,
    uuid: UUID | None = None,
) -> str:
    """Make a token.

    :param identity: of the board.
    :param nonce: sixteen bytes.
    :param key: signs in place of the identity key: a forgery, for tests.
    :param uuid: stands in place of the board's own, for tests.
    """
    body = cbor.SELF_DESCRIBED + cbor.array(
        [
            cbor.unsigned(_IDENTITY_MESSAGE),
            cbor.byte_string((uuid or identity.uuid).bytes),
            cbor.unsigned(identity.chip.device_type),
            cbor.byte_string(identity.chip.firmware_uuid.bytes),
            cbor.byte_string(nonce),
        ]
    )
    return f"{base64url(body)}.{base64url(_sign1(key or identity.key, body, None))}"


def key_output(
    identity: DeviceIdentity,
    message: int,
    sec_tag: int,
    body: bytes,
    nonce: bytes,
    *,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> str:
    """Make what ``%KEYGEN`` prints.

    :param identity: of the board, whose key signs.
    :param message: :data:`CSR_MESSAGE` or :data:`PUBLIC_KEY_MESSAGE`.
    :param sec_tag: the security tag of the new key.
    :param body: the CSR, or the public key.
    :param nonce: sixteen bytes.
    :param key: signs in place of the identity key: a forgery, for tests.
    """
    payload = cbor.SELF_DESCRIBED + cbor.array(
        [
            cbor.unsigned(message),
            cbor.byte_string(identity.uuid.bytes),
            cbor.byte_string(cbor.unsigned(sec_tag)),
            cbor.byte_string(hashlib.sha256(body).digest()),
            cbor.byte_string(nonce),
        ]
    )
    return f"{base64url(body)}.{base64url(_sign1(key or identity.key, body, payload))}"


def _sign1(key: ec.EllipticCurvePrivateKey, external: bytes, payload: bytes | None) -> bytes:
    """Sign; the body stands where COSE has external data, and a detached payload is signed as null."""
    carried = cbor.NULL if payload is None else cbor.byte_string(payload)
    signed = cbor.array(
        [cbor.text("Signature1"), cbor.byte_string(_PROTECTED), cbor.byte_string(external), carried]
    )
    signature = cbor.byte_string(signing.raw_signature(key, signed))
    return _SIGN1 + cbor.byte_string(_PROTECTED) + _UNPROTECTED + carried + signature
