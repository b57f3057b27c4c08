"""A device that exists on paper only: it signs by other libraries than our fake and our virtual board."""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jwt
from joserfc.jwk import ECKey

NOW = 1_700_000_000.0
FIRMWARE = "25c95751-efa4-40d4-8b4a-1dcaab81fac9"


def base64url(data: bytes) -> str:
    """Encode without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class PaperDevice:
    """A device of the tests: token, KEYGEN output and JWT as the fact sheet lays them out (4.1 to 4.6)."""

    def __init__(self, number: int = 1) -> None:
        """Make a device with a key of its own."""
        self.id = str(uuid.UUID(int=(0x5036315439314AAA8BBB << 48) | number))
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.imei = f"3594042302{number:05d}"
        self.point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    def record(self, **changes: Any) -> dict[str, Any]:
        """Return the factory record."""
        return {
            "uuid": self.id,
            "public_key": self.point.hex(),
            "imei": self.imei,
            "device_type": 6,
            "firmware_uuid": FIRMWARE,
            **changes,
        }

    def _sign(self, data: bytes, key: ec.EllipticCurvePrivateKey | None) -> bytes:
        r, s = decode_dss_signature((key or self.key).sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def token(self, *, key: ec.EllipticCurvePrivateKey | None = None, device_type: int = 6) -> str:
        """Make an attestation token."""
        body = b"".join(
            (
                bytes.fromhex("d9d9f78501"),
                b"\x50" + uuid.UUID(self.id).bytes,
                bytes([device_type]),
                b"\x50" + uuid.UUID(FIRMWARE).bytes,
                b"\x50" + uuid.uuid4().bytes,
            )
        )
        signed = bytes.fromhex("846a5369676e61747572653143a101265839") + body + b"\xf6"
        cose = bytes.fromhex("d28443a10126a1044121f65840") + self._sign(signed, key)
        return f"{base64url(body)}.{base64url(cose)}"

    def keygen(
        self, sec_tag: int, *, csr: bool, body: bytes = b"", key: ec.EllipticCurvePrivateKey | None = None
    ) -> str:
        """Make KEYGEN output; what its body is does not matter to the service."""
        body = body or (b"a signing request" if csr else b"a public key")
        payload = bytes.fromhex("d9d9f7") + cbor2.dumps(
            [
                9 if csr else 8,
                uuid.UUID(self.id).bytes,
                cbor2.dumps(sec_tag),
                hashlib.sha256(body).digest(),
                bytes(16),
            ]
        )
        signed = cbor2.dumps(["Signature1", bytes.fromhex("a10126"), body, payload])
        parts = [bytes.fromhex("a10126"), {4: b"\x21"}, payload, self._sign(signed, key)]
        return f"{base64url(body)}.{base64url(cbor2.dumps(cbor2.CBORTag(18, parts)))}"

    def jwt(
        self,
        *,
        key: ec.EllipticCurvePrivateKey | None = None,
        header: dict[str, Any] | None = None,
        expires: float | None = NOW + 300,
        issuer: str | None = None,
    ) -> str:
        """Make a JWT with joserfc."""
        pem = (key or self.key).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        claims: dict[str, Any] = {"iss": issuer or f"nRF9151.{self.id}", "iat": int(NOW)}
        if expires is not None:
            claims["exp"] = int(expires)
        return jwt.encode({"typ": "JWT", "alg": "ES256", **(header or {})}, claims, ECKey.import_key(pem))
