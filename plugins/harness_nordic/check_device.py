"""A device of the check's own: it exists in a key alone, and says what a board would say.

Token, KEYGEN output and JWT: nrfcloud fact sheet, section 4. Reports: section 3.4.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from harness_nordic.enums import DeviceType, MessageType

_SELF_DESCRIBED = b"\xd9\xd9\xf7"
_PROTECTED = b"\xa1\x01\x26"
_HEADER = {4: b"\x21"}
_SIGN1 = 18
_A_DAY = timedelta(days=1)


class CheckDevice:
    """A device that a fake can be told of.

    :ivar record: what a factory would register of it.
    """

    def __init__(self) -> None:
        """Make its key."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.id = str(uuid.uuid4())
        self._firmware = uuid.uuid4()
        self.record = {
            "uuid": self.id,
            "public_key": self._key.public_key()
            .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
            .hex(),
            "imei": "35940423" + f"{secrets.randbelow(10**7):07d}",
            "device_type": int(DeviceType.NRF9151_LACA),
            "firmware_uuid": str(self._firmware),
        }

    def token(self) -> str:
        """Return a fresh attestation token."""
        body = _SELF_DESCRIBED + cbor2.dumps(
            [
                int(MessageType.DEVICE_IDENTITY),
                uuid.UUID(self.id).bytes,
                int(DeviceType.NRF9151_LACA),
                self._firmware.bytes,
                secrets.token_bytes(16),
            ]
        )
        return f"{_base64url(body)}.{_base64url(self._signed(body, None))}"

    def csr(self, sec_tag: int) -> str:
        """Return what the modem prints after it made a key and a CSR for it."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.id)])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        body = request.public_bytes(serialization.Encoding.DER)
        payload = _SELF_DESCRIBED + cbor2.dumps(
            [
                int(MessageType.CSR),
                uuid.UUID(self.id).bytes,
                cbor2.dumps(sec_tag),
                hashlib.sha256(body).digest(),
                secrets.token_bytes(16),
            ]
        )
        return f"{_base64url(body)}.{_base64url(self._signed(body, payload))}"

    def certificate(self) -> str:
        """Return a certificate (PEM) of its own, as a team would onboard it with."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.id)])
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _A_DAY)
            .not_valid_after(now + _A_DAY)
            .sign(self._key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
            .decode()
            .strip()
        )

    def jwt(self, *, forged: bool = False) -> str:
        """Return a JWT of now, by its own key or by another's."""
        point = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        now = int(time.time())
        header = {"typ": "JWT", "alg": "ES256", "kid": hashlib.sha256(point).hexdigest()}
        claims = {
            "iss": f"nRF9151.{self.id}",
            "jti": f"nRF9151.{self._firmware}.{secrets.token_hex(16)}",
            "iat": now,
            "exp": now + 300,
        }
        text = ".".join(
            _base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)
        )
        key = ec.generate_private_key(ec.SECP256R1()) if forged else self._key
        return f"{text}.{_base64url(_raw_signature(key, text.encode()))}"

    def _signed(self, body: bytes, payload: bytes | None) -> bytes:
        signature = _raw_signature(self._key, cbor2.dumps(["Signature1", _PROTECTED, body, payload]))
        return cbor2.dumps(cbor2.CBORTag(_SIGN1, [_PROTECTED, _HEADER, payload, signature]))


def report(*reports: list[Any]) -> bytes:
    """Return a report as a device sends it."""
    return cbor2.dumps(list(reports))


def _raw_signature(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
