"""Independent judgement of what a board produced: KEYGEN output and JWTs, read with third-party libraries.

Suites and tests judge with it. Neither the fake nor the virtual board imports it, so that it shares no
code with the two ends that it judges.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

import cbor2
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from harness.errors import BoardFault

_KEYGEN_MESSAGE_TYPES = {8: "public key", 9: "csr"}
_SIGNATURE_HALF = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedKey:
    """What ``AT%KEYGEN`` exported (nrfcloud fact sheet, section 4.2).

    :ivar form: ``csr`` or ``public key``.
    :ivar public_key: DER SubjectPublicKeyInfo.
    :ivar subject: RFC 4514 text of the CSR's subject; empty for a bare public key.
    :ivar key_usage: the nine bits of the CSR's key usage in ASN.1 order, as ``0`` and ``1``.
    :ivar sec_tag: the security tag that the board signed for.
    :ivar device_uuid: the UUID that the board signed for.
    """

    form: str
    public_key: bytes
    subject: str
    key_usage: str
    sec_tag: int
    device_uuid: str


def read_generated_key(text: str) -> GeneratedKey:
    """Read ``<body>.<cose>`` and check what can be checked without the board's identity key.

    :raises BoardFault: it cannot be read, the CSR does not verify, or the digest does not fit the body.
    """
    try:
        body, cose = (_decode(half) for half in text.split("."))
        payload = cbor2.loads(cbor2.loads(cose).value[2])
        items = payload.value if isinstance(payload, cbor2.CBORTag) else payload
        message_type, uuid, tag, digest, _nonce = items
        form = _KEYGEN_MESSAGE_TYPES[message_type]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise BoardFault(f"cannot read the output of %KEYGEN: {error!r}") from error
    if hashlib.sha256(body).digest() != digest:
        raise BoardFault("the digest that the board signed does not fit the body of its %KEYGEN output")
    subject, usage, public_key = _read_csr(body) if form == "csr" else ("", "", body)
    return GeneratedKey(
        form=form,
        public_key=public_key,
        subject=subject,
        key_usage=usage,
        sec_tag=int(cbor2.loads(tag)),
        device_uuid=f"{uuid[:4].hex()}-{uuid[4:6].hex()}-{uuid[6:8].hex()}-{uuid[8:10].hex()}-{uuid[10:].hex()}",
    )


def _read_csr(body: bytes) -> tuple[str, str, bytes]:
    request = x509.load_der_x509_csr(body)
    if not request.is_signature_valid:
        raise BoardFault("the signature of the board's CSR does not verify")
    usage = request.extensions.get_extension_for_class(x509.KeyUsage).value
    agreement = usage.key_agreement
    bits = (
        usage.digital_signature,
        usage.content_commitment,
        usage.key_encipherment,
        usage.data_encipherment,
        agreement,
        usage.key_cert_sign,
        usage.crl_sign,
        agreement and usage.encipher_only,
        agreement and usage.decipher_only,
    )
    spki = request.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return request.subject.rfc4514_string(), "".join("1" if bit else "0" for bit in bits), spki


def jwt_is_signed_by(jwt: str, public_key: bytes) -> bool:
    """Tell whether an ES256 JWT verifies with a key (DER SubjectPublicKeyInfo)."""
    signed, _, signature = jwt.rpartition(".")
    raw = _decode(signature)
    halves = (int.from_bytes(raw[:_SIGNATURE_HALF], "big"), int.from_bytes(raw[_SIGNATURE_HALF:], "big"))
    key = serialization.load_der_public_key(public_key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(encode_dss_signature(*halves), signed.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
