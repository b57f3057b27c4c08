"""Certificate signing requests (PKCS #10, RFC 2986): each proves that the board has its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from harness_guardian.virtual import keys

if TYPE_CHECKING:
    from harness_guardian.virtual.keys import PrivateKey


def make(key: PrivateKey, hw_id: str) -> bytes:
    """Return the signing request (DER) of a key: its common name is the hardware id."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hw_id)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return request.sign(key, keys.csr_digest(key)).public_bytes(serialization.Encoding.DER)


def with_bad_signature(request: bytes) -> bytes:
    """Return a signing request whose own signature does not verify: its last bit is the other one.

    A signature is the last thing in it, and any integer behind R is one.
    """
    return request[:-1] + bytes([request[-1] ^ 1])
